// A server of the soak: answers each question with random bytes and a checksum (see frame.ts), and knows nothing of Kedge.
// Usage: echo-server NAME PORT...  It prints `ready` when it listens.
import { once } from 'node:events';
import net from 'node:net';
import { frame, FrameReader, readQuestion, writeAnswer } from './frame.ts';

const [name = '', ...ports] = process.argv.slice(2);

function serve(socket: net.Socket): void {
  const reader = new FrameReader();
  let atEnd: Buffer | undefined;
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const question of reader.take(chunk)) {
        if (readQuestion(question).afterEnd) atEnd = question;
        else socket.write(frame(writeAnswer(name, question)));
      }
    } catch (error) {
      // The client waits for an answer that never comes and counts the request as failed; the log says why.
      process.stderr.write(`${String(error)}\n`);
      socket.destroy();
    }
  });
  socket.on('end', () => {
    if (reader.pending > 0)
      process.stderr.write(`expected whole questions, got ${reader.pending} bytes more\n`);
    if (atEnd === undefined) socket.end();
    else socket.end(frame(writeAnswer(name, atEnd)));
  });
  socket.on('error', () => socket.destroy());
}

for (const port of ports) {
  const server = net.createServer({ allowHalfOpen: true }, serve);
  server.listen(Number(port), '127.0.0.1');
  await once(server, 'listening');
}
process.stdout.write('ready\n');
