package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Strace;
import io.holdfast.broker.system.support.Strace.Call;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * What {@code fsync} has to do with OK, seen from outside by strace. The writes themselves are not
 * seen, they go to mapped memory; that the file holding a message was forced between two replies
 * is.
 */
class SyncSystemTest {
  private static final String SYNCS = "trace=fsync,fdatasync";
  private static final String FAIL = "inject=fsync,fdatasync:error=EIO";
  private static final Duration SOON = Duration.ofSeconds(20);

  /** The file of each message of a stopped broker's topic, by ordinal. */
  private static List<String> filesOf(BrokerProcess broker, String topic) throws IOException {
    Path dir = broker.dataPath().resolve("topics/" + topic + "/journal");
    List<String> files = new ArrayList<>();
    try (SyncThread sync = new SyncThread(60_000);
        ChronicleJournal journal =
            new ChronicleJournal(dir, new StorageOptions(1 << 20, 6 << 20, false, 0), sync)) {
      Map<Path, Long> firsts = journal.files();
      List<Path> paths = new ArrayList<>(firsts.keySet());
      for (int i = 0; i < paths.size(); i++) {
        long end = i + 1 < paths.size() ? firsts.get(paths.get(i + 1)) : journal.nextOrdinal();
        for (long ordinal = firsts.get(paths.get(i)); ordinal < end; ordinal++) {
          files.add(paths.get(i).toString());
        }
      }
    }
    return files;
  }

  private static boolean isReply(Call call) {
    boolean toSocket = call.args().contains("TCP") || call.args().contains("socket:");
    // Under load strace can tell of a call twice, the first time as one that sent nothing.
    return !call.name().contains("sync")
        && call.result() > 0
        && toSocket
        && (call.args().contains("\\0\\0\\0\\6\\0\\0\\0\\0OK")
            || call.args().contains("HTTP/1.1 200 OK"));
  }

  @Test
  void shouldForceTheFileOfAMessageBeforeItsReply() throws Exception {
    String[] flags = {"--durability=synced", "--max-bytes-per-file=1048576", "--sync-timeout=1h"};
    try (BrokerProcess broker = BrokerProcess.started(flags)) {
      Http http = broker.http();
      http.post("/topic/create?topic=t").expect(200, "");
      List<Call> calls;
      List<Integer> counts = new ArrayList<>();
      try (Strace strace =
              Strace.attach(broker, "-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg");
          RawNsqConnection conn = broker.connect()) {
        String big = "x".repeat(700_000);
        for (int i = 0; i < 3; i++) {
          conn.pub("t", "pub" + i);
          conn.mpub("t", "mpub-a" + i, "mpub-b" + i);
          conn.command("DPUB t 50", "dpub" + i).expectOk();
          http.post("/pub?topic=t", "http" + i).expect(200, "OK");
          http.post("/mpub?topic=t&binary=true", batch("m1" + i, "m2" + i)).expect(200, "OK");
          // Two of them fill a file: what follows is in the next one.
          conn.pub("t", big).pub("t", big);
          counts.addAll(List.of(1, 2, 1, 1, 2, 1, 1));
        }
        // The last reply was here before strace has written that it was sent.
        calls =
            Awaitility.await("all replies in the trace")
                .atMost(SOON)
                .until(
                    strace::calls,
                    so -> so.stream().filter(SyncSystemTest::isReply).count() >= counts.size());
        System.out.println(excerpt(strace.text()));
      }
      broker.terminate();
      assertCovered(calls, counts, filesOf(broker, "t"));
    }
  }

  /** The calls around the second roll, for people. */
  private static String excerpt(String trace) {
    List<String> lines =
        trace.lines().filter(line -> line.contains("sync") || line.contains("OK")).toList();
    int at = 0;
    while (at < lines.size() && !lines.get(at).contains("000002.cq4")) {
      at++;
    }
    return String.join("\n", lines.subList(Math.max(0, at - 3), Math.min(lines.size(), at + 6)));
  }

  private static void assertCovered(List<Call> calls, List<Integer> counts, List<String> files) {
    Set<String> forced = new HashSet<>();
    Set<String> seen = new HashSet<>();
    int replies = 0;
    int ordinal = 0;
    for (Call call : calls) {
      if (call.name().contains("sync")) {
        assertEquals(0, call.result(), call.toString());
        forced.add(call.args().replaceAll("^\\d+<(.*)>$", "$1"));
      } else if (isReply(call)) {
        String file = files.get(ordinal);
        assertTrue(forced.contains(file), "reply " + replies + " before " + file + ": " + forced);
        if (seen.add(file)) {
          String dir = Path.of(file).getParent().toString();
          assertTrue(forced.contains(dir), "first reply of " + file + " before its directory");
        }
        ordinal += counts.get(replies);
        replies++;
        forced.clear();
      }
    }
    assertEquals(counts.size(), replies);
    assertEquals(files.size(), ordinal);
    assertTrue(seen.size() >= 3, "files: " + seen);
  }

  private static void awaitPing(BrokerProcess broker, boolean ok) {
    Awaitility.await("/ping " + (ok ? "OK" : "NOK"))
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(
            () -> {
              Http.Response ping = broker.http().get("/ping");
              assertEquals(ok ? 200 : 500, ping.status(), ping.body());
              if (!ok) {
                assertTrue(ping.body().startsWith("NOK - sync failed: "), ping.body());
              }
            });
  }

  @Test
  void shouldFailPublishesWhileFilesCannotBeForced() {
    try (BrokerProcess broker = BrokerProcess.started("--durability=synced")) {
      broker.http().post("/topic/create?topic=t").expect(200, "");
      broker.http().post("/channel/create?topic=t&channel=c").expect(200, "");
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("t", "before");
      }
      try (Strace strace = Strace.attach(broker, "-e", SYNCS, "-e", FAIL);
          RawNsqConnection conn = broker.connect()) {
        conn.command("PUB t", "refused").expectErrorLike("E_PUB_FAILED PUB failed sync failed: ");
        assertEquals(500, broker.http().get("/ping").status());
        awaitPing(broker, false);
        Http.Response second = broker.http().post("/pub?topic=t", "refused too");
        assertFalse(second.status() == 200, second.body());
        assertTrue(strace.text().contains("INJECTED"), strace.text());
      }
      // Without another publish: it is tried again.
      awaitPing(broker, true);
      broker.http().post("/pub?topic=t", "after").expect(200, "OK");
      broker.kill9();
      broker.start();
      assertDelivers(broker, Set.of("before", "after"), Set.of("refused"));
    }
  }

  private static void assertDelivers(BrokerProcess broker, Set<String> must, Set<String> may) {
    Set<String> bodies = new HashSet<>();
    try (RawNsqConnection conn = broker.subscribe("t", "c")) {
      conn.line("RDY 10");
      for (Frame.Msg message = conn.pollMessage(Duration.ofSeconds(5));
          message != null;
          message = conn.pollMessage(Duration.ofMillis(300))) {
        bodies.add(message.text());
        conn.fin(message);
      }
    }
    assertTrue(bodies.containsAll(must), bodies.toString());
    bodies.removeAll(must);
    assertTrue(may.containsAll(bodies), bodies.toString());
  }

  @Test
  void shouldSayAtOnceThatWrittenDataCannotBeForced() {
    try (BrokerProcess broker = BrokerProcess.started("--sync-timeout=200ms")) {
      broker.http().post("/topic/create?topic=t").expect(200, "");
      broker.http().post("/channel/create?topic=t&channel=c").expect(200, "");
      Strace strace = Strace.attach(broker, "-e", SYNCS, "-e", FAIL);
      try (strace) {
        broker.http().post("/pub?topic=t", "one").expect(200, "OK");
        // No publish has failed yet.
        awaitPing(broker, false);
        Http.Response refused = broker.http().post("/pub?topic=t", "two");
        assertFalse(refused.status() == 200, refused.body());
      }
      awaitPing(broker, true);
      broker.http().post("/pub?topic=t", "three").expect(200, "OK");
      assertDelivers(broker, Set.of("one", "three"), Set.of());
    }
  }
}
