// Holds a cluster of one component in a directory, guarded or alone, until it is killed; says on one line where and which.
import { Component } from './component.ts';
import { Guard } from './guard.ts';
import { createOwnedState } from './owned-state.ts';
import { loopback } from './place.ts';

const [, , how, parent] = process.argv;
const state = createOwnedState(parent);
if (how === 'guarded') new Guard(state);
const words = [process.execPath, '--eval', 'setInterval(() => {}, 1e6)'];
Component.start({ name: 'sleeper', words }, loopback, state);
process.stdout.write(`${JSON.stringify({ directory: state.path, pid: state.processOf('sleeper')?.pid })}\n`);
setInterval(() => undefined, 1_000_000);
