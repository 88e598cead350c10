package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.ClusterProcesses;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.broker.system.support.SmallDisk;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Another program takes the last byte of two disks out of three. */
class ClusterDiskFullSystemTest {
  private static final int DISK_MB = 96;
  private static final int MESSAGES = 200;

  /** More than the log had reserved before, some 10 bytes for each. */
  private static final int REQUEUES = 150_000;

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("nsqd has no clusters");
  }

  /** Not a block is free any more. */
  private static Path takeWhatIsLeft(Path dir) {
    Path file = dir.resolve("filler");
    try (OutputStream filler = Files.newOutputStream(file)) {
      byte[] block = new byte[4096];
      while (true) {
        filler.write(block);
      }
    } catch (IOException full) {
      assertTrue(full.getMessage().contains("No space left"), full.getMessage());
    }
    return file;
  }

  private static JsonNode channel(ClusterProcesses cluster) {
    return cluster.node(cluster.awaitLeader("t")).http().channel("t", "c");
  }

  @Test
  void consumersGoOnWhenTwoDisksAreFull() throws IOException {
    ClusterProcesses cluster = ClusterProcesses.of(node -> List.of("--mem-queue-size=50"));
    Path a = cluster.node("a").dataPath();
    Path b = cluster.node("b").dataPath();
    try (cluster;
        SmallDisk diskOfA = SmallDisk.mount(a, DISK_MB);
        SmallDisk diskOfB = SmallDisk.mount(b, DISK_MB)) {
      cluster.names().forEach(node -> cluster.node(node).start());
      cluster.awaitLeader("t");
      try (RawNsqConnection publisher = cluster.node("a").connect()) {
        publisher.line("SUB t c").expectOk();
      }
      Set<String> published = new HashSet<>();
      try (RawNsqConnection publisher = cluster.node("c").connect()) {
        for (int i = 0; i < MESSAGES; i++) {
          published.add("m" + i);
          publisher.pub("t", "m" + i);
        }
      }
      cluster.awaitLevel();
      List<Path> fillers = List.of(takeWhatIsLeft(a), takeWhatIsLeft(b));
      assertEquals(0, diskOfA.usableBytes() + diskOfB.usableBytes());

      Set<String> finished = new HashSet<>();
      try (RawNsqConnection consumer = cluster.node("c").subscribe("t", "c")) {
        consumer.line("RDY " + MESSAGES);
        for (int i = 0; i < REQUEUES; i++) {
          consumer.line("REQ " + consumer.message().id() + " 0");
        }
        while (finished.size() < MESSAGES) {
          Frame.Msg message = consumer.message();
          consumer.fin(message);
          assertTrue(finished.add(message.text()), () -> message.text() + " came after its FIN");
        }
        consumer.flushed();
        Awaitility.await("nothing is left")
            .atMost(ClusterProcesses.LONG)
            .pollInterval(Duration.ofMillis(100))
            .until(
                () -> {
                  JsonNode channel = channel(cluster);
                  return channel.path("depth").asInt() + channel.path("in_flight_count").asInt()
                      == 0;
                });
      }
      assertEquals(published, finished);
      cluster.awaitLevel();
      for (String node : cluster.names()) {
        assertFalse(cluster.node(node).log().contains(" stopped: "), cluster.log());
      }

      cluster.names().forEach(node -> cluster.node(node).kill9());
      for (Path filler : fillers) {
        Files.delete(filler);
      }
      cluster.names().forEach(node -> cluster.node(node).start());
      JsonNode left = channel(cluster);
      assertEquals(0, left.path("depth").asInt(), left::toString);
      try (RawNsqConnection publisher = cluster.node("c").connect()) {
        publisher.pub("t", "there is room again");
      }
    }
  }
}
