// Loaded into a program and all that it starts: writes each connection that one of them begins to the
// file CONNECTIONS, and its number when it starts. Pipes between processes are none.
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';

const note = (what) => appendFileSync(process.env.CONNECTIONS, `${process.pid} ${what}\n`);
note('started');

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...args) {
  const [first] = args;
  const to = Array.isArray(first) ? first[0] : first;
  if (typeof to !== 'string' && to?.path === undefined) note(`connects to ${JSON.stringify(to)}`);
  return connect.apply(this, args);
};
