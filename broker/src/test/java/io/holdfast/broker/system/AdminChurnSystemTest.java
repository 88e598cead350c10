package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.PersistentPublisher;
import io.holdfast.broker.system.support.ProcessWatch;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * Topics and channels created and deleted many times, emptied and paused, under publishers and
 * consumers, with a stop and a start in the middle of it: every request is answered, nothing of
 * what stays is lost, and no file, mapping, thread or object is left of what went.
 *
 * <p>{@code -Dholdfast.churn=N} does N deletions instead of {@value #DELETIONS}.
 */
class AdminChurnSystemTest {
  private static final int DELETIONS = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final Duration MINUTES = Duration.ofMinutes(5);

  @Test
  void shouldStandConcurrentAdministration() throws Exception {
    Assumptions.assumeTrue(Reference.isHoldfast(), "nsqd has no such figures");
    int deletions = Integer.getInteger("holdfast.churn", DELETIONS);
    long seed = System.nanoTime();
    try (BrokerProcess broker =
        BrokerProcess.started(
            "--mem-queue-size=20",
            "--max-bytes-per-file=1048576",
            "--msg-timeout=1s",
            "--idle-close=1s")) {
      broker.http().post("/topic/create?topic=kept").expect(200, "");
      broker.http().post("/channel/create?topic=kept&channel=kept").expect(200, "");
      AdminChurn churn = new AdminChurn(broker, seed);
      Set<String> published;
      try (PersistentPublisher publisher = new PersistentPublisher(broker, "kept", "p", seed)) {
        churn.start();
        awaitDeletions(broker, churn, deletions / 2);
        churn.setDown(true);
        int code = terminate(broker);
        assertEquals(0, code, "exit code");
        assertQuiet(broker);
        broker.start();
        churn.setDown(false);
        awaitDeletions(broker, churn, deletions);
        assertTrue(churn.stop(), () -> churn.failures() + broker.watch().threadDump());
        published = publisher.stopAndJoin();
      }
      broker.http().post("/topic/unpause?topic=kept").expect(200, "");
      broker.http().post("/channel/unpause?topic=kept&channel=kept").expect(200, "");
      awaitAll(broker, churn, published);
      assertTrue(churn.stopConsumer(), () -> churn.failures().toString());
      assertEquals(List.of(), churn.failures().stream().limit(10).toList(), "seed " + seed);
      assertNothingLeft(broker);
      assertEquals(0, terminate(broker), "exit code");
      assertQuiet(broker);
    }
  }

  private static void awaitDeletions(BrokerProcess broker, AdminChurn churn, int deletions) {
    try {
      Awaitility.await()
          .atMost(MINUTES)
          .until(
              () ->
                  !churn.failures().isEmpty()
                      || (churn.topicDeletions.get() >= deletions
                          && churn.channelDeletions.get() >= deletions));
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(
          churn.topicDeletions
              + " topics and "
              + churn.channelDeletions
              + " channels deleted with "
              + churn.requests
              + " requests\n"
              + broker.watch().threadDump(),
          e);
    }
    assertEquals(List.of(), churn.failures().stream().limit(10).toList());
  }

  private static int terminate(BrokerProcess broker) {
    ProcessWatch watch = broker.watch();
    try {
      return broker.terminate();
    } catch (AssertionError e) {
      throw new AssertionError("the stop hangs\n" + watch.threadDump(), e);
    }
  }

  /** Every message that was answered OK was delivered. */
  private static void awaitAll(BrokerProcess broker, AdminChurn churn, Set<String> published) {
    try {
      Awaitility.await().atMost(PATIENCE).until(() -> churn.received().containsAll(published));
    } catch (ConditionTimeoutException e) {
      Set<String> missing = new HashSet<>(published);
      missing.removeAll(churn.received());
      throw new AssertionError(
          missing.size()
              + " of "
              + published.size()
              + " are lost: "
              + missing.stream().limit(5).toList()
              + "\n"
              + broker.http().topic("kept"),
          e);
    }
  }

  /** No complaint in the log: all of this is everyday business. */
  private static void assertQuiet(BrokerProcess broker) {
    List<String> loud =
        Arrays.stream(broker.output().split("\n"))
            .filter(l -> l.contains("ERROR") || l.contains("Exception") || l.startsWith("\tat "))
            .limit(20)
            .toList();
    assertEquals(List.of(), loud);
  }

  private static void assertNothingLeft(BrokerProcess broker) throws IOException {
    broker.http().post("/topic/delete?topic=churn");
    broker.http().post("/topic/delete?topic=passing%23ephemeral");
    broker.http().post("/channel/delete?topic=kept&channel=vol");
    ProcessWatch watch = broker.watch();
    // Before any garbage collection, which would hide what is not given back.
    Awaitility.await("only what is locked is open")
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              String dir = broker.dataPath().toString();
              String lock = broker.dataPath().resolve("holdfast.lock").toString();
              assertEquals(List.of(dir, lock), ours(broker, watch.openFiles()));
              assertEquals(List.of(), ours(broker, watch.mappedFiles()));
            });
    Awaitility.await("no objects of what went")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofSeconds(1))
        .untilAsserted(
            () -> {
              assertEquals(1, watch.instances("io.holdfast.broker.queue.Topic"), "topics");
              assertEquals(1, watch.instances("io.holdfast.broker.queue.Channel"), "channels");
              assertEquals(0, watch.instances("io.holdfast.broker.wire.ClientV2"), "clients");
            });
    // Event loops, workers, sync, scan, housekeeping and the JVM's: the figure does not grow.
    int threads = watch.threads();
    assertTrue(threads < 100, () -> threads + " threads\n" + watch.threadDump());
    JsonNode topics = broker.http().stats("").path("topics");
    assertEquals(1, topics.size(), topics::toString);
    assertEquals(List.of("kept"), names(broker.dataPath().resolve("topics")));
    assertEquals(List.of("kept"), names(broker.dataPath().resolve("topics/kept/channels")));
  }

  private static List<String> ours(BrokerProcess broker, List<String> files) {
    return files.stream().filter(file -> file.contains(broker.dataPath().toString())).toList();
  }

  private static List<String> names(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
