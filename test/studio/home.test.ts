import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findHome } from '#studio/home';

const home = '/home/ada';

describe('the data folder', () => {
  test.each([
    ['linux', {}, '/home/ada/.local/share/rcg-studio'],
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/rcg-studio'],
    ['linux', { XDG_DATA_HOME: 'relative' }, '/home/ada/.local/share/rcg-studio'],
    ['darwin', { XDG_DATA_HOME: '/data' }, '/home/ada/Library/Application Support/RCG Studio'],
    ['win32', { APPDATA: '/appdata' }, '/appdata/RCG Studio'],
    ['win32', {}, '/home/ada/AppData/Roaming/RCG Studio'],
    ['linux', { RCG_STUDIO_HOME: '/moved' }, '/moved'],
    ['win32', { RCG_STUDIO_HOME: '/moved', APPDATA: '/appdata' }, '/moved'],
    ['linux', { RCG_STUDIO_HOME: '' }, '/home/ada/.local/share/rcg-studio'],
    ['linux', { RCG_STUDIO_HOME: 'here' }, resolve('here')],
  ])('on %s with %o is %s', (platform, env, root) => {
    expect(findHome({ env, platform, home })).toEqual({
      root,
      models: join(root, 'models'),
      cache: join(root, 'cache'),
    });
  });
});
