package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Starting and refusing to start: exit codes, one clear line, no stack trace, nothing left behind
 * (contract §8).
 */
class StartStopSystemTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  /**
   * Runs the program with these flags until it ends by itself; asserts code, a mention of each
   * word, no stack trace.
   */
  private static void assertRefuses(
      BrokerProcess broker, int code, List<String> flags, String... words) {
    assertEquals(code, broker.launch(flags).awaitExit(SOON), broker::output);
    String output = broker.output();
    for (String word : words) {
      assertTrue(output.contains(word), () -> "no " + word + " in\n" + output);
    }
    if (Reference.isHoldfast()) {
      assertFalse(output.contains("\tat ") || output.contains("Exception"), output);
      List<String> lines =
          Arrays.stream((broker.stderr() + "\n" + broker.stdout()).split("\n"))
              .filter(l -> Arrays.stream(words).allMatch(l::contains))
              .toList();
      assertEquals(1, lines.size(), () -> "one line naming " + List.of(words) + " in\n" + output);
    }
  }

  private static List<String> loopback(BrokerProcess broker, String... more) {
    List<String> flags =
        new java.util.ArrayList<>(
            List.of(
                "--tcp-address=127.0.0.1:" + BrokerProcess.freePort(),
                "--http-address=127.0.0.1:" + BrokerProcess.freePort(),
                "--data-path=" + broker.dataPath()));
    flags.addAll(List.of(more));
    return flags;
  }

  @Test
  void shouldRefuseDataPathInUse() {
    try (BrokerProcess first = BrokerProcess.started();
        BrokerProcess second = BrokerProcess.of()) {
      assertRefuses(second, 1, loopback(first), first.dataPath().toString());
      first.http().get("/ping").expect(200, "OK");
      first.kill9();
      first.start(); // a lock of a dead broker does not count
    }
  }

  @Test
  void shouldRefuseUnknownFlagsAndBadValuesWith2() throws IOException {
    try (BrokerProcess broker = BrokerProcess.of()) {
      assertRefuses(broker, 2, loopback(broker, "--no-such-flag=1"), "no-such-flag");
      assertRefuses(broker, 2, loopback(broker, "-no-such-flag"), "no-such-flag");
      assertRefuses(broker, 2, loopback(broker, "--mem-queue-size=many"), "mem-queue-size", "many");
      assertRefuses(
          broker, 2, loopback(broker, "--msg-timeout=5parsecs"), "msg-timeout", "5parsecs");
      try (var files = Files.list(broker.dataPath())) {
        assertEquals(0, files.count(), "nothing is written before the flags are right");
      }
    }
  }

  @Test
  void shouldRefuseInvalidOptionsWith1() {
    try (BrokerProcess broker = BrokerProcess.of()) {
      assertRefuses(broker, 1, loopback(broker, "--node-id=1024"), "1024");
      Path missing = broker.home().resolve("missing");
      assertRefuses(broker, 1, loopback(broker, "--data-path=" + missing), missing.toString());
    }
  }

  @Test
  void shouldRefuseMissingOrWrongConfWith1() throws IOException {
    try (BrokerProcess broker = BrokerProcess.of()) {
      Path conf = broker.home().resolve("broker.toml");
      assertRefuses(broker, 1, loopback(broker, "--config=" + conf), conf.toString());
      Files.writeString(conf, "mem_queue_size = \"many\"\n");
      assertRefuses(broker, 1, loopback(broker, "--config=" + conf), "many");
      Files.writeString(conf, "this is not toml\n");
      assertRefuses(broker, 1, loopback(broker, "--config=" + conf), conf.toString());
    }
  }

  @Test
  void shouldRefuseUnknownKeyInConf() throws IOException {
    Reference.holdfastOnly("nsqd ignores unknown keys");
    try (BrokerProcess broker = BrokerProcess.of()) {
      Path conf = broker.home().resolve("broker.toml");
      Files.writeString(conf, "mem_queue_size = 10\nno_such_key = 5\n");
      assertRefuses(broker, 1, loopback(broker, "--config=" + conf), "no_such_key");
    }
  }

  @Test
  void shouldLetFlagsBeatTheFileAndTheFileTheDefaults() throws IOException {
    try (BrokerProcess dir = BrokerProcess.of()) {
      Path conf = dir.home().resolve("nsqd.cfg");
      Files.writeString(conf, "max_rdy_count = 7\nmsg_timeout = \"5s\"\nmax_msg_timeout = 20000\n");
      try (BrokerProcess broker =
              BrokerProcess.started("-config", conf.toString(), "-max-rdy-count", "9");
          RawNsqConnection conn = broker.connect()) {
        String reply = conn.identify("{\"feature_negotiation\":true}");
        assertTrue(reply.contains("\"max_rdy_count\":9,"), reply);
        assertTrue(reply.contains("\"max_msg_timeout\":20000,\"msg_timeout\":5000,"), reply);
      }
    }
  }

  @Test
  void shouldPrintVersionAndHelp() {
    try (BrokerProcess broker = BrokerProcess.of()) {
      assertEquals(0, broker.launch(List.of("--version")).awaitExit(SOON));
      String[] lines = broker.stdout().split("\n");
      assertTrue(lines[0].matches("nsqd v1\\.3\\.0 \\(built w/\\w+\\)"), broker::output);
      if (Reference.isHoldfast()) {
        assertTrue(lines[1].matches("holdfast v\\S+ \\(Java \\S+\\)"), broker::output);
      }
      assertEquals(0, broker.launch(List.of("--help")).awaitExit(SOON));
      assertTrue(broker.output().contains("mem-queue-size"), broker::output);
    }
  }

  @Test
  void shouldRefuseTakenPort() {
    try (BrokerProcess first = BrokerProcess.started();
        BrokerProcess second = BrokerProcess.of()) {
      List<String> flags =
          List.of(
              "--tcp-address=127.0.0.1:" + first.tcpPort(),
              "--http-address=127.0.0.1:" + BrokerProcess.freePort(),
              "--data-path=" + second.dataPath());
      assertRefuses(second, 1, flags, String.valueOf(first.tcpPort()));
    }
  }

  @Test
  void shouldSayInOneLineWhyItCannotStart() throws IOException {
    try (BrokerProcess broker = BrokerProcess.of()) {
      String nowhere = "--tcp-address=host.invalid:4150";
      assertRefuses(broker, 1, loopback(broker, nowhere), "host.invalid:4150", "no such host");
      String foreign = "192.0.2.1:4150";
      assertRefuses(
          broker,
          1,
          loopback(broker, "--http-address=" + foreign),
          "listen (" + foreign + ") failed - ",
          "assign requested address");
      if (Reference.isHoldfast()) {
        Path pem = Files.writeString(broker.home().resolve("ca.pem"), "no PEM");
        assertRefuses(
            broker, 1, loopback(broker, "--tls-root-ca-file=" + pem), "no certificate in " + pem);
      }
    }
  }

  @Test
  void shouldLogToStderrAndNothingButLogLinesOnStartAndStop() {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        Runtime.version().feature() < 24,
        "newer JVMs warn of Unsafe, which no manifest can silence");
    try (BrokerProcess broker = BrokerProcess.started()) {
      try (RawNsqConnection conn = broker.subscribe("clean", "ch")) {
        conn.pub("clean", "x").line("RDY 1").fin(conn.message()).flushed();
      }
      assertEquals(0, broker.terminate());
      assertEquals("", broker.stdout());
      assertEquals(
          List.of(),
          broker.log().lines().filter(l -> !l.matches("\\[nsqd\\] \\S+ \\S+ INFO: .*")).toList());
      assertFalse(broker.log().contains("option mem-queue-size"), broker::log);
    }
  }

  @Test
  void shouldStopOnSigtermWithOpenConnections() {
    try (BrokerProcess broker = BrokerProcess.started();
        RawNsqConnection conn = broker.subscribe("open", "ch")) {
      long start = System.nanoTime();
      assertEquals(0, broker.terminate());
      assertTrue(RawNsqConnection.millisSince(start) < 5000);
      conn.expectClosed();
    }
  }
}
