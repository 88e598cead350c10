package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.lookup.FakeLookupd;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ConcurrentTest;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Contract §6: what an nsqlookupd sees of the broker. */
class LookupSystemTest {
  private static void await(String what, java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(15))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(condition);
  }

  private static void awaitLines(FakeLookupd lookupd, int from, String... lines) {
    try {
      await("lines", () -> since(lookupd, from).containsAll(List.of(lines)));
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError("got " + since(lookupd, from), e);
    }
  }

  private static List<String> since(FakeLookupd lookupd, int from) {
    List<String> all = new ArrayList<>(lookupd.received);
    return all.subList(Math.min(from, all.size()), all.size());
  }

  @Test
  void shouldRegisterWhatExistsAndTakeItBack() throws IOException {
    try (FakeLookupd lookupd = new FakeLookupd();
        BrokerProcess broker =
            BrokerProcess.started(
                "--lookupd-tcp-address=" + lookupd.address(),
                "--broadcast-address=broker.example",
                "--broadcast-tcp-port=1111",
                "--broadcast-http-port=2222",
                "--topology-region=r",
                "--topology-zone=z")) {
      Http http = broker.http();
      await("IDENTIFY", () -> lookupd.received.size() >= 2);
      assertEquals("CONNECT  V1", lookupd.received.get(0));
      String identify = lookupd.received.get(1);
      assertTrue(
          identify.startsWith("IDENTIFY {\"broadcast_address\":\"broker.example\",\"hostname\":\""),
          identify);
      assertTrue(
          identify.matches(
              ".*\",\"http_port\":2222,\"tcp_port\":1111,\"topology_region\":\"r\",\"topology_zone\":\"z\","
                  + "\"version\":\"[^\"]+\"}"),
          identify);
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("one", "x");
        awaitLines(lookupd, 2, "REGISTER one");
        conn.line("SUB one ch").expectOk();
        awaitLines(lookupd, 2, "REGISTER one ch");
      }
      http.post("/topic/create?topic=two");
      http.post("/channel/create?topic=two&channel=c");
      http.post("/channel/create?topic=two&channel=e%23ephemeral");
      awaitLines(lookupd, 2, "REGISTER two", "REGISTER two c", "REGISTER two e#ephemeral");
      http.post("/channel/delete?topic=two&channel=c");
      awaitLines(lookupd, 2, "UNREGISTER two c");
      int before = lookupd.received.size();

      // A lost connection is noticed at the next event; then everything is said again.
      lookupd.dropConnections();
      http.post("/topic/create?topic=three");
      awaitLines(
          lookupd,
          before,
          "CONNECT  V1",
          identify,
          "REGISTER one ch",
          "REGISTER two e#ephemeral",
          "REGISTER three");
      http.post("/topic/delete?topic=two");
      awaitLines(lookupd, before, "UNREGISTER two");

      // What is durable is registered again after a crash.
      before = lookupd.received.size();
      broker.crash();
      broker.start();
      awaitLines(lookupd, before, "CONNECT  V1", identify, "REGISTER one ch", "REGISTER three");
      assertTrue(
          since(lookupd, before).stream().noneMatch(l -> l.startsWith("REGISTER two")),
          () -> lookupd.received.toString());
    }
  }

  @Test
  void shouldChangePeersAtRunTime() throws IOException {
    try (FakeLookupd first = new FakeLookupd();
        FakeLookupd second = new FakeLookupd();
        BrokerProcess broker =
            BrokerProcess.started(
                "--lookupd-tcp-address=" + first.address(), "--broadcast-address=127.0.0.1")) {
      Http http = broker.http();
      http.post("/topic/create?topic=moved");
      awaitLines(first, 0, "REGISTER moved");
      http.get("/config/nsqlookupd_tcp_addresses").expect(200, "[\"" + first.address() + "\"]");
      String both = "[\"" + first.address() + "\",\"" + second.address() + "\"]";
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", both).expect(200, both);
      awaitLines(second, 0, "CONNECT  V1", "REGISTER moved");
      String one = "[\"" + second.address() + "\"]";
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", one).expect(200, one);
      awaitLines(first, 0, "DISCONNECT");
      int known = first.received.size();
      http.post("/topic/create?topic=later");
      awaitLines(second, 0, "REGISTER later");
      assertEquals(known, first.received.size());
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", "not json")
          .expectError(400, "INVALID_VALUE");
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", "[]").expect(200, "[]");
      awaitLines(second, 0, "DISCONNECT");
    }
  }

  /** Accepts connections and says nothing. */
  @SuppressWarnings("ModifiedButNotUsed") // kept so that nothing closes them
  private static ServerSocket hanging() throws IOException {
    ServerSocket server = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
    Thread acceptor =
        new Thread(
            () -> {
              List<Socket> open = new ArrayList<>();
              try {
                while (true) {
                  open.add(server.accept());
                }
              } catch (IOException e) {
                open.clear(); // The test is over.
              }
            });
    acceptor.setDaemon(true);
    acceptor.start();
    return server;
  }

  private static void quick(String what, Runnable action) {
    long start = System.nanoTime();
    action.run();
    long ms = RawNsqConnection.millisSince(start);
    assertTrue(ms < 3000, what + " took " + ms + " ms");
  }

  @Test
  void shouldHoldUpNothingButTheNewTopicsWhenAPeerHangs() throws Exception {
    ExecutorService clients = Executors.newCachedThreadPool();
    try (ServerSocket hanging = hanging();
        FakeLookupd lookupd = new FakeLookupd();
        BrokerProcess broker = BrokerProcess.started("--http-client-request-timeout=4s")) {
      Http http = broker.http();
      http.post("/topic/create?topic=old").expect(200, "");
      http.post("/topic/create?topic=dropped").expect(200, "");
      lookupd.replyToIdentify(FakeLookupd.INFO.formatted(hanging.getLocalPort()));
      String peers = "[\"127.0.0.1:" + hanging.getLocalPort() + "\",\"" + lookupd.address() + "\"]";
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", peers).expect(200, peers);
      awaitLines(lookupd, 0, "REGISTER old");
      long start = System.nanoTime();
      Future<?> created =
          clients.submit(() -> broker.http().post("/topic/create?topic=new").expect(200, ""));
      for (int i = 0; i < 12; i++) {
        String topic = "waiting" + i;
        clients.submit(() -> broker.http().post("/pub?topic=" + topic, "x").expect(200, "OK"));
      }
      quick("stats", () -> http.stats(""));
      quick("channel", () -> http.post("/channel/create?topic=old&channel=c").expect(200, ""));
      quick("pause", () -> http.post("/topic/pause?topic=old").expect(200, ""));
      quick("delete", () -> http.post("/topic/delete?topic=dropped").expect(200, ""));
      quick("publish", () -> http.post("/pub?topic=old", "x").expect(200, "OK"));
      created.get(20, TimeUnit.SECONDS);
      long ms = RawNsqConnection.millisSince(start);
      assertTrue(ms >= 3900 && ms < 10_000, ms + " ms");
      awaitLines(lookupd, 0, "REGISTER old c", "UNREGISTER dropped", "REGISTER new");
      http.awaitTopic("waiting11", topic -> topic.path("depth").asInt() == 1);
      clients.submit(() -> broker.http().post("/topic/create?topic=never"));
      quick("stop", () -> assertEquals(0, broker.terminate()));
    } finally {
      clients.shutdownNow();
    }
  }

  @Test
  void shouldRegisterEverywhereTheChannelsTakenOver() throws IOException {
    HttpServer api =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    api.createContext(
        "/channels",
        exchange -> {
          byte[] answer = "{\"channels\":[\"c\"]}".getBytes(StandardCharsets.US_ASCII);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    api.start();
    try (FakeLookupd knowing = new FakeLookupd();
        FakeLookupd other = new FakeLookupd()) {
      knowing.replyToIdentify(FakeLookupd.INFO.formatted(api.getAddress().getPort()));
      try (BrokerProcess broker =
              BrokerProcess.started(
                  "--lookupd-tcp-address=" + knowing.address(),
                  "--lookupd-tcp-address=" + other.address(),
                  "--broadcast-address=127.0.0.1");
          RawNsqConnection conn = broker.connect()) {
        await("IDENTIFY", () -> knowing.received.size() >= 2 && other.received.size() >= 2);
        conn.pub("t", "x");
        awaitLines(knowing, 0, "REGISTER t", "REGISTER t c");
        awaitLines(other, 0, "REGISTER t", "REGISTER t c");
        broker.http().post("/channel/delete?topic=t&channel=c").expect(200, "");
        broker.http().post("/topic/delete?topic=t").expect(200, "");
        awaitLines(other, 0, "UNREGISTER t");
      }
    } finally {
      api.stop(0);
    }
  }

  @Test
  void shouldCreateTheChannelsAPeerKnowsOf() throws IOException {
    Set<String> asked = new HashSet<>();
    HttpServer api =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    api.createContext(
        "/channels",
        exchange -> {
          synchronized (asked) {
            asked.add(
                exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("Accept"));
          }
          byte[] answer =
              "{\"channels\":[\"pre\",\"also\",\"tmp#ephemeral\"]}"
                  .getBytes(StandardCharsets.US_ASCII);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    api.start();
    try (FakeLookupd lookupd = new FakeLookupd()) {
      lookupd.replyToIdentify(FakeLookupd.INFO.formatted(api.getAddress().getPort()));
      try (BrokerProcess broker =
              BrokerProcess.started(
                  "--lookupd-tcp-address=" + lookupd.address(), "--broadcast-address=127.0.0.1");
          RawNsqConnection conn = broker.connect()) {
        broker.http().post("/topic/create?topic=awaited");
        awaitLines(lookupd, 0, "REGISTER awaited");
        conn.pub("fresh", "first");
        assertEquals(1, broker.http().channel("fresh", "pre").path("depth").asInt());
        assertEquals(1, broker.http().channel("fresh", "also").path("depth").asInt());
        assertTrue(broker.http().channel("fresh", "tmp#ephemeral").isMissingNode());
        synchronized (asked) {
          assertTrue(
              asked.contains("/channels?topic=fresh application/vnd.nsq; version=1.0"),
              asked::toString);
        }
      }
    } finally {
      api.stop(0);
    }
  }

  @Test
  void shouldNotBeSlowedByADeadPeer() throws IOException {
    try (FakeLookupd silent = new FakeLookupd();
        FakeLookupd living = new FakeLookupd()) {
      silent.silence();
      try (BrokerProcess broker =
              BrokerProcess.started(
                  "--lookupd-tcp-address=" + silent.address(),
                  "--lookupd-tcp-address=127.0.0.1:" + BrokerProcess.freePort(),
                  "--lookupd-tcp-address=" + living.address(),
                  "--broadcast-address=127.0.0.1");
          RawNsqConnection conn = broker.connect()) {
        // The living one says that its HTTP port is 4161, where nobody listens.
        conn.pub("warm", "up");
        long start = System.nanoTime();
        for (int i = 0; i < 200; i++) {
          conn.pub("quick", "x");
        }
        for (int i = 0; i < 10; i++) {
          conn.pub("quick" + i, "x");
        }
        long ms = RawNsqConnection.millisSince(start);
        assertTrue(ms < 5000, ms + " ms"); // Waiting in turn would take 11 s and more.
        awaitLines(living, 0, "REGISTER quick", "REGISTER quick9");
      }
    }
  }

  @ConcurrentTest
  void shouldPing() throws IOException {
    try (FakeLookupd lookupd = new FakeLookupd();
        BrokerProcess broker =
            BrokerProcess.started(
                "--lookupd-tcp-address=" + lookupd.address(), "--broadcast-address=127.0.0.1")) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> lookupd.received.contains("PING"));
      assertEquals(1, lookupd.received.stream().filter(l -> l.startsWith("CONNECT")).count());
      broker.http().get("/ping").expect(200, "OK");
    }
  }
}
