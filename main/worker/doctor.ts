import os from 'node:os';
import { cpuFacts, resolveTarget } from '#runtime/device';
import { runtimeVersion, tryProviders } from '#runtime/providers';
import type { DoctorReport } from './protocol.ts';

/** Finds out by trying what this machine can do. Runs in the engine process. */
export async function examine(): Promise<DoctorReport> {
  const facts = cpuFacts();
  return {
    runtime: `ONNX Runtime ${runtimeVersion()}`,
    node: process.version,
    platform: `${process.platform} ${os.release()} ${process.arch}`,
    cpu: facts.model,
    cores: facts.cores,
    memory: os.totalmem(),
    int8: facts.int8,
    cpuTarget: resolveTarget('cpu', facts),
    providers: await tryProviders(),
  };
}
