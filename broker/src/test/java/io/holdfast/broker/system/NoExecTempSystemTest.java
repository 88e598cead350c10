package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.broker.system.support.SmallDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A temporary directory from which no native library can be loaded: what the README promises. */
class NoExecTempSystemTest {
  @TempDir Path dir;

  @BeforeEach
  void onlyHoldfast() {
    Reference.holdfastOnly("nsqd has no native libraries to unpack");
  }

  @Test
  void shouldServeByNioAndTakeTheWorkingDirectoryForTheStorage() {
    try (SmallDisk temp = SmallDisk.mountNoExec(dir);
        BrokerProcess broker = BrokerProcess.of().withJvm("-Djava.io.tmpdir=" + dir).start();
        RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 1")) {
      assertTrue(
          broker
              .log()
              .contains(
                  "epoll is not available, using Java's NIO: is java.io.tmpdir "
                      + dir
                      + " writable and mounted without noexec?"),
          broker::log);
      conn.pub("t", "stored");
      assertEquals("stored", conn.message().text());
      broker.kill9();
      broker.start();
      assertEquals(1, broker.http().channel("t", "c").path("depth").asInt());
    }
  }

  @Test
  void shouldSayWhyItDoesNotStartWithoutAnyPlaceForThem() throws Exception {
    try (SmallDisk temp = SmallDisk.mountNoExec(dir);
        BrokerProcess broker =
            BrokerProcess.of().withJvm("-Djava.io.tmpdir=" + dir).under("env", "-C", "" + dir)) {
      broker.launch(List.of("--data-path=" + broker.dataPath(), "--tcp-address=127.0.0.1:0"));
      assertEquals(1, broker.awaitExit(Duration.ofMinutes(3)), broker::output);
      String log = broker.stderr();
      assertTrue(log.contains("is java.io.tmpdir " + dir + " writable and mounted"), log);
      assertTrue(!log.contains("\tat "), log);
      try (var files = Files.list(broker.dataPath())) {
        assertEquals(0, files.filter(f -> f.endsWith("topics")).count());
      }
    }
  }
}
