package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.net.Transport;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What the HTTP server listens on, and what it says when it cannot. */
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends its lines with CR LF
class HttpListenTest extends HttpServerFixture {
  @Test
  void shouldNotReplaceAFileByItsUnixSocket() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "precious");
    ListenAddress address = new ListenAddress(null, -1, file.toString());
    assertThrows(IOException.class, () -> start(address, loops));
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void shouldSayWhyItCannotListen() throws IOException {
    connect().close();
    ListenAddress taken = new ListenAddress("127.0.0.1", server.port(), null);
    IOException error = assertThrows(IOException.class, () -> bind(taken, loops));
    assertTrue(error.getMessage().startsWith("listen (127.0.0.1:" + server.port() + ") failed - "));
    assertFalse(error.getMessage().contains("\n"));
  }

  @Test
  void shouldListenOnAUnixSocketWithEpoll() throws IOException {
    Assumptions.assumeTrue(Epoll.isAvailable(), "no epoll on this system");
    assertUnixSocketWorks(loops);
  }

  @Test
  void shouldListenOnAUnixSocketWithNio() throws IOException {
    Transport nio = new Transport(1, false);
    try {
      assertUnixSocketWorks(nio);
    } finally {
      server.close(1000);
      nio.close();
    }
  }

  private void assertUnixSocketWorks(Transport group) throws IOException {
    Path path = dir.resolve("http.sock");
    leaveStaleSocket(path);
    ListenAddress address = new ListenAddress(null, -1, path.toString());
    start(address, group);
    assertEquals(-1, server.port());
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      client.write(ByteBuffer.wrap(("GET /ping" + HOST + "\r\n").getBytes(ISO_8859_1)));
      assertTrue(answer(Channels.newInputStream(client)).endsWith("OK"));
    }
    // A second broker must not take the socket from the first.
    assertThrows(IOException.class, () -> bind(address, group));
    server.close(1000);
    assertFalse(Files.exists(path));
  }

  private static void leaveStaleSocket(Path path) throws IOException {
    try (ServerSocketChannel killed =
        ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      killed.bind(UnixDomainSocketAddress.of(path));
    }
    assertTrue(Files.exists(path));
  }
}
