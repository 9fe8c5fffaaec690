import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { answers, Conversation } from './conversation.ts';
import { frame, FrameReader, readQuestion, writeAnswer, WrongBytesError, writeQuestion } from './frame.ts';

/** A server that does `answer` with the first question of each connection, and the port it listens on. */
async function serving(
  answer: (socket: net.Socket, question: Buffer) => void,
): Promise<{ port: number } & AsyncDisposable> {
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    const reader = new FrameReader();
    let atEnd: Buffer | undefined;
    socket.on('data', (chunk: Buffer) => {
      for (const question of reader.take(chunk)) {
        if (readQuestion(question).afterEnd) atEnd = question;
        else answer(socket, question);
      }
    });
    socket.on('end', () => {
      if (atEnd) answer(socket, atEnd);
      else socket.end();
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const now = writeQuestion({ afterEnd: false, answerBytes: 500 }, 1_000);
const atEnd = writeQuestion({ afterEnd: true, answerBytes: 500 }, 1_000);

describe('Conversation', () => {
  it('asks again and again on one connection, and ends in order', async () => {
    await using server = await serving((socket, question) =>
      socket.write(frame(writeAnswer('north', question))),
    );
    const conversation = new Conversation(server.port);
    expect(await conversation.ask(now)).toBe('n');
    expect(await conversation.ask(now)).toBe('n');
    await conversation.close();
  });

  it('reads the answer that comes after its own half has ended', async () => {
    await using server = await serving((socket, question) =>
      socket.end(frame(writeAnswer('south', question))),
    );
    const conversation = new Conversation(server.port);
    expect(await conversation.ask(atEnd)).toBe('s');
    await conversation.close();
  });

  it('fails when the connection ends inside the answer', async () => {
    await using server = await serving((socket, question) =>
      socket.end(frame(writeAnswer('north', question)).subarray(0, 100)),
    );
    const conversation = new Conversation(server.port);
    await expect(conversation.ask(now)).rejects.toThrow('expected a whole answer, got the end');
    await expect(conversation.close()).rejects.toThrow('expected a whole answer, got the end');
  });

  it('fails when the connection is reset, during an answer or after it', async () => {
    await using cutting = await serving((socket) => socket.resetAndDestroy());
    await expect(new Conversation(cutting.port).ask(now)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await using after = await serving((socket, question) => {
      socket.write(frame(writeAnswer('north', question)), () => socket.resetAndDestroy());
    });
    const conversation = new Conversation(after.port);
    await conversation.ask(now).catch(() => undefined);
    await expect(conversation.close()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('finds bytes that were changed, and bytes that nobody asked for', async () => {
    await using changing = await serving((socket, question) => {
      const bytes = frame(writeAnswer('north', question));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      socket.write(bytes);
    });
    await expect(new Conversation(changing.port).ask(now)).rejects.toThrow(WrongBytesError);
    await using babbling = await serving((socket, question) => {
      const bytes = frame(writeAnswer('north', question));
      socket.write(Buffer.concat([bytes, bytes]));
    });
    const conversation = new Conversation(babbling.port);
    await conversation.ask(now).catch(() => undefined);
    await expect(conversation.close()).rejects.toThrow('expected silence, got 533 bytes');
  });
});

describe('answers', () => {
  it('is false where nothing listens', async () => {
    const server = await serving(() => undefined);
    await server[Symbol.asyncDispose]();
    expect(await answers(server.port)).toBe(false);
  });
});
