package io.holdfast.broker.lookup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.net.HttpJsonClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ChannelLookupTest {
  private final ExecutorService executor = Executors.newSingleThreadExecutor();
  private final List<HttpServer> servers = new ArrayList<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();

  @AfterEach
  void stop() {
    servers.forEach(server -> server.stop(0));
    executor.shutdownNow();
  }

  private PeerInfo peer(int status, String body) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.add(
              exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("Accept"));
          byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    servers.add(server);
    return info(server.getAddress().getPort());
  }

  private static PeerInfo info(int port) {
    return new PeerInfo("127.0.0.1", "h", port, 1, "1.3.0");
  }

  private Set<String> channels(String topic, List<PeerInfo> peers) {
    HttpJsonClient http = new HttpJsonClient(300, 600, null, null, executor);
    return new ChannelLookup(http, () -> peers, name -> name.matches("[a-z0-9]+(#ephemeral)?"))
        .channels(topic)
        .join();
  }

  @Test
  void shouldUniteWhatThePeersKnow() throws IOException {
    assertEquals(
        Set.of("a", "b", "c"),
        channels(
            "t#ephemeral",
            List.of(
                peer(200, "{\"channels\":[\"a\",\"b\",\"x#ephemeral\",\"not valid\",7]}"),
                peer(200, "{\"channels\":[\"b\",\"c\"]}"),
                peer(200, "{\"channels\":null}"))));
    assertTrue(
        asked.contains("/channels?topic=t%23ephemeral application/vnd.nsq; version=1.0"),
        asked.toString());
  }

  @Test
  void shouldNotFailBecausePeersDo() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      long before = System.nanoTime();
      assertEquals(
          Set.of("a"),
          channels(
              "t",
              List.of(
                  peer(500, "oops"),
                  peer(200, "no json"),
                  peer(403, "{\"message\":\"no\"}"),
                  new PeerInfo("", "h", 1, 1, "x"),
                  info(silent.getLocalPort()),
                  peer(200, "{\"channels\":[\"a\"]}"))));
      assertTrue(System.nanoTime() - before < 5_000_000_000L, "bounded by the request timeout");
    }
    assertEquals(Set.of(), channels("t", List.of()));
  }
}
