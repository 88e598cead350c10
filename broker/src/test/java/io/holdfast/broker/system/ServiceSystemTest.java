package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the broker says to systemd, and what it takes over at SIGHUP. */
class ServiceSystemTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static EventLoopGroup loops;

  @TempDir Path dir;

  @BeforeAll
  static void start() {
    loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  }

  @AfterAll
  static void stop() {
    loops.shutdownGracefully();
  }

  /** Listens as systemd does; what comes is added to the list. */
  private static Channel listen(String socket, List<String> heard) {
    return new Bootstrap()
        .group(loops)
        .channel(EpollDomainDatagramChannel.class)
        .handler(
            new SimpleChannelInboundHandler<DomainDatagramPacket>() {
              @Override
              protected void channelRead0(ChannelHandlerContext ctx, DomainDatagramPacket packet) {
                heard.add(packet.content().toString(StandardCharsets.US_ASCII));
              }
            })
        .bind(new DomainSocketAddress(socket))
        .syncUninterruptibly()
        .channel();
  }

  private static long count(List<String> heard, String what) {
    return heard.stream().filter(what::equals).count();
  }

  @Test
  void shouldTellSystemdThatItIsReadyLivesAndStops() {
    List<String> heard = new CopyOnWriteArrayList<>();
    Path socket = dir.resolve("notify");
    Channel listener = listen(socket.toString(), heard);
    try (BrokerProcess broker = BrokerProcess.of("--shutdown-timeout=60s")) {
      broker.under("env", "NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=200000").start();
      Awaitility.await().atMost(SOON).until(() -> count(heard, "WATCHDOG=1") >= 3);
      assertEquals("READY=1", heard.get(0));
      try (RawNsqConnection conn = broker.subscribe("t", "c").pub("t", "x").line("RDY 1")) {
        String id = conn.message().id();
        broker.signal("TERM");
        Awaitility.await().atMost(SOON).until(() -> heard.contains("STOPPING=1"));
        assertTrue(broker.isAlive());
        conn.line("FIN " + id);
        assertEquals(0, broker.awaitExit(SOON));
      }
      assertEquals(1, count(heard, "READY=1"));
      assertEquals(1, count(heard, "STOPPING=1"));
    } finally {
      listener.close();
    }
  }

  @Test
  void shouldNotifyAnAbstractSocketWithoutAWatchdogThatIsNotItsOwn() {
    List<String> heard = new CopyOnWriteArrayList<>();
    String name = "holdfast-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    Channel listener = listen("\0" + name, heard);
    try (BrokerProcess broker = BrokerProcess.of()) {
      broker.under("env", "NOTIFY_SOCKET=@" + name, "WATCHDOG_USEC=2000", "WATCHDOG_PID=1").start();
      Awaitility.await().atMost(SOON).until(() -> heard.contains("READY=1"));
      assertEquals(0, broker.terminate());
      Awaitility.await().atMost(SOON).until(() -> heard.contains("STOPPING=1"));
      assertEquals(List.of("READY=1", "STOPPING=1"), heard);
    } finally {
      listener.close();
    }
  }

  @Test
  void shouldServeThoughNobodyListensForNotifications() {
    try (BrokerProcess broker = BrokerProcess.of()) {
      broker.under("env", "NOTIFY_SOCKET=" + dir.resolve("none"), "WATCHDOG_USEC=many").start();
      Awaitility.await().atMost(SOON).until(() -> broker.log().contains("cannot be told"));
      assertTrue(broker.log().contains("WATCHDOG_USEC many is no number"), broker::log);
      assertEquals(0, broker.terminate());
      assertFalse(broker.log().contains("Exception"), broker::log);
    }
  }

  @Test
  void shouldTakeOverWhatCanBeAtSighup() throws IOException {
    Path conf = dir.resolve("conf.toml");
    Path users = Files.writeString(dir.resolve("users"), "");
    Files.writeString(conf, "max_topics = 7\n");
    try (BrokerProcess broker =
        BrokerProcess.of("--config=" + conf, "--http-users-file=" + users, "--max-channels=9")
            .start()) {
      reload(broker, "INFO: reload: nothing changed");
      Files.writeString(
          conf,
          "max_topics = 8\nmax_channels = 10\nlog_level = \"debug\"\n"
              + "nsqlookupd_tcp_addresses = [\"127.0.0.1:1\"]\n");
      Files.writeString(users, "job:" + "ab".repeat(32) + ":publish\n");
      List<String> lines =
          reload(
              broker,
              "INFO: reload: log_level from \"info\" to \"debug\", nsqlookupd_tcp_addresses from",
              "WARNING: reload: max_topics is \"8\" now: needs a restart",
              "audit: user= remote= action=users.reload result=ok",
              "audit: user= remote= action=config.reload result=ok");
      assertTrue(lines.stream().anyMatch(line -> line.contains("users file " + users)));
      assertFalse(lines.stream().anyMatch(line -> line.contains("max_channels")), lines::toString);
      broker.http().get("/config/log_level").expect(200, "1");
      broker.http().get("/config/nsqlookupd_tcp_addresses").expect(200, "[\"127.0.0.1:1\"]");
      broker.http().get("/config/max_topics").expect(200, "7");
      assertEquals(conf + ":3", origin(broker, "log_level"));
      broker.http().request("PUT", "/config/log_level", "info").expect(200, "2");
      assertEquals("set at run time", origin(broker, "log_level"));
      reload(broker, "INFO: reload: log_level from \"info\" to \"debug\"");
      assertEquals(conf + ":3", origin(broker, "log_level"));
    }
  }

  private static String origin(BrokerProcess broker, String key) {
    for (JsonNode option : broker.http().get("/configuration").json()) {
      if (option.path("key").asText().equals(key)) {
        return option.path("from").asText();
      }
    }
    throw new AssertionError("no " + key);
  }

  @Test
  void shouldChangeNothingAtSighupWithAFault() throws IOException {
    Path conf = Files.writeString(dir.resolve("conf.toml"), "max_topics = 7\n");
    Path users = Files.writeString(dir.resolve("users"), "");
    try (BrokerProcess broker =
        BrokerProcess.of("--config=" + conf, "--http-users-file=" + users).start()) {
      Files.writeString(conf, "log_level = \"debug\"\nno_such_key = 1\n");
      reload(broker, "ERROR: reload: nothing is changed: " + conf + ":2: unknown key");
      Files.delete(conf);
      reload(broker, "ERROR: reload: nothing is changed: config file \"" + conf + "\" does not");
      // The configuration is good, the users are not.
      Files.writeString(conf, "log_level = \"debug\"\n");
      Files.writeString(users, "# nobody\njob:x\n");
      List<String> lines = reload(broker, users + ":2: not of the form name:HASH:...");
      assertTrue(
          lines.stream().anyMatch(line -> line.contains("action=config.reload result=failed")));
      broker.http().get("/config/log_level").expect(200, "2");
      Files.writeString(users, "");
      reload(broker, "INFO: reload: log_level from \"info\" to \"debug\"");
      assertEquals(0, broker.terminate());
      assertFalse(broker.log().contains("Exception"), broker::log);
    }
  }

  /** Sends SIGHUP and waits for lines with these words; returns what was logged. */
  private static List<String> reload(BrokerProcess broker, String... words) {
    int before = broker.log().length();
    broker.signal("HUP");
    Awaitility.await()
        .atMost(SOON)
        .until(
            () -> {
              String log = broker.log().substring(before);
              return List.of(words).stream().allMatch(log::contains)
                  && log.contains("action=config.reload");
            });
    return new ArrayList<>(broker.log().substring(before).lines().toList());
  }
}
