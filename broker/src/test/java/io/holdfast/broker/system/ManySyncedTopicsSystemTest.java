package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Strace;
import io.holdfast.broker.system.support.Strace.Call;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Publishers at many topics at the same time, each waiting for the disk. */
class ManySyncedTopicsSystemTest {
  private static final int TOPICS = 24;
  private static final int ROUNDS = 40;

  /** So few that most journals are never forced by themselves, as few wait at the same time. */
  private static final int FEW_ROUNDS = 4;

  private static final int WRITTEN_BYTES = 1 << 20;

  private static final String[] FLAGS = {"--durability=synced", "--sync-timeout=1h"};

  private static void createTopics(BrokerProcess broker) {
    for (int i = 0; i < TOPICS; i++) {
      broker.http().post("/topic/create?topic=t" + i).expect(200, "");
      broker.http().post("/channel/create?topic=t" + i + "&channel=c").expect(200, "");
    }
  }

  private static List<RawNsqConnection> connections(BrokerProcess broker) {
    List<RawNsqConnection> connections = new ArrayList<>();
    for (int i = 0; i < TOPICS; i++) {
      connections.add(broker.connect());
    }
    return connections;
  }

  private static void publish(BrokerProcess broker, List<RawNsqConnection> to, int from, int end) {
    for (int round = from; round < end; round++) {
      // So that it reads from all of them at once, however slowly they are written to.
      broker.signal("STOP");
      for (int i = 0; i < TOPICS; i++) {
        to.get(i).command("PUB t" + i, "m" + round);
      }
      broker.signal("CONT");
      to.forEach(RawNsqConnection::expectOk);
    }
  }

  private static void assertDelivers(BrokerProcess broker, int messages) {
    for (int i = 0; i < TOPICS; i++) {
      try (RawNsqConnection conn = broker.subscribe("t" + i, "c")) {
        conn.line("RDY 100");
        List<String> bodies = conn.finish(messages);
        for (int m = 0; m < messages; m++) {
          assertEquals("m" + m, bodies.get(m), "t" + i);
        }
      }
    }
  }

  @Test
  void shouldAnswerManyTopicsAfterOneForce() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started(FLAGS)) {
      createTopics(broker);
      List<RawNsqConnection> connections = connections(broker);
      List<Call> calls;
      try (Strace strace = Strace.attach(broker, "-e", "trace=fsync,fdatasync")) {
        publish(broker, connections, 0, ROUNDS);
        calls = strace.calls();
      }
      connections.forEach(RawNsqConnection::close);
      int replies = TOPICS * ROUNDS;
      System.out.println(calls.size() + " forces for " + replies + " replies");
      assertTrue(calls.size() < replies / 2, calls.size() + " forces");
      // Also of those that were answered last, and after a death that nothing followed.
      broker.kill9();
      broker.start();
      assertDelivers(broker, ROUNDS);
    }
  }

  @Test
  void shouldHaveThemAfterAPowerCut() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started(FLAGS)) {
      createTopics(broker);
      List<RawNsqConnection> connections = connections(broker);
      publish(broker, connections, 0, 1);
      Map<Path, byte[]> before = journals(broker.dataPath());
      String forced;
      try (Strace strace = Strace.attach(broker, "-e", "trace=fsync,fdatasync")) {
        publish(broker, connections, 1, FEW_ROUNDS);
        forced = strace.text();
      }
      connections.forEach(RawNsqConnection::close);
      broker.kill9();
      int lost = cutPower(broker.dataPath(), before, forced);
      System.out.println(lost + " journals of " + TOPICS + " lose what came last");
      assertTrue(lost >= TOPICS / 4, forced);
      broker.start();
      assertTrue(broker.log().contains("put back into journals, which"), broker.log());
      assertDelivers(broker, FEW_ROUNDS);
      // The next one is soon after: nothing of that may count as on disk already.
      connections = connections(broker);
      publish(broker, connections, 0, ROUNDS);
      connections.forEach(RawNsqConnection::close);
      assertEquals(0, broker.terminate());
      try (Stream<Path> left = Files.list(broker.dataPath().resolve("redo"))) {
        assertEquals(0, left.filter(file -> file.toString().endsWith(".cq4")).count());
      }
      broker.start();
      assertDelivers(broker, ROUNDS);
    }
  }

  /** The beginning of each journal's file as it is now: all that tests here have written. */
  private static Map<Path, byte[]> journals(Path data) throws IOException {
    Map<Path, byte[]> contents = new HashMap<>();
    try (Stream<Path> all = Files.walk(data.resolve("topics"))) {
      for (Path path : all.toList()) {
        if (path.getParent().endsWith("journal") && path.toString().endsWith(".cq4")) {
          try (InputStream in = Files.newInputStream(path)) {
            contents.put(path, in.readNBytes(WRITTEN_BYTES));
          }
        }
      }
    }
    return contents;
  }

  /**
   * Takes from the disk what need not be there after a power cut: what was written to journals
   * since they were looked at, unless they were forced since.
   *
   * @return how many have lost something
   */
  private static int cutPower(Path data, Map<Path, byte[]> before, String forced)
      throws IOException {
    int lost = 0;
    for (Map.Entry<Path, byte[]> journal : before.entrySet()) {
      if (!forced.contains(journal.getKey().toString())) {
        try (RandomAccessFile file = new RandomAccessFile(journal.getKey().toFile(), "rw")) {
          file.write(journal.getValue());
        }
        lost++;
      }
    }
    Path lock = data.resolve("holdfast.lock");
    String[] lines = Files.readString(lock, StandardCharsets.US_ASCII).split("\n");
    Files.writeString(lock, lines[0] + "\nanother-boot\n", StandardCharsets.US_ASCII);
    return lost;
  }
}
