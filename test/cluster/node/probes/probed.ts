// An application in a pod, reached through its sidecar alone: answers HTTP, echoes bytes, and tells gRPC that it is well.
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';

const healthCheckResponse = Buffer.from([0, 0, 0, 0, 2, 0x08, 1]);

const web = http.createServer((_, response) => response.end('answered'));
const echo = net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.pipe(socket);
});
const grpc = http2.createServer();
grpc.on('stream', (stream: http2.ServerHttp2Stream) => {
  stream.on('error', () => undefined);
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(healthCheckResponse);
});

web.listen(8080, '127.0.0.1');
echo.listen(8081, '127.0.0.1');
grpc.listen(8082, '127.0.0.1');
