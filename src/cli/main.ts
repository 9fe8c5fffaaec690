import { run } from './run.ts';

// A reader that has seen enough (`| head`) closes the pipe; that is no failure of the command. Of a closed terminal it hears by a
// signal (EIO is only that nobody reads), and takes away what it made.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});

process.exitCode = await run(process.argv.slice(2), process);
