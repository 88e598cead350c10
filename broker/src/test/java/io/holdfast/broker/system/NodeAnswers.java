package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ClusterProcesses;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** What a node of a cluster answers, above all while it knows no leader. */
final class NodeAnswers {
  /** What a node waits for a leader is 4.5 to 6 s; how long after that a test looks is not said. */
  private static final long NO_LEADER_MS = 4_500;

  private NodeAnswers() {}

  /** What everybody is told at a node that knows no leader, and not before it waited for one. */
  static List<CompletableFuture<Void>> refusedWithoutLeader(BrokerProcess node) {
    String reason = "no leader for topic t";
    Map<String, Supplier<String>> asked = new LinkedHashMap<>();
    String batch = RawNsqConnection.batch("m", "n");
    asked.put("E_PUB_FAILED PUB failed " + reason, () -> to(node, "PUB t", "m"));
    asked.put("E_MPUB_FAILED MPUB failed " + reason, () -> to(node, "MPUB t", batch));
    asked.put("E_DPUB_FAILED DPUB failed " + reason, () -> to(node, "DPUB t 9", "m"));
    asked.put("E_SUB_FAILED SUB failed " + reason, () -> to(node, "SUB t c", null));
    asked.put("503 {\"message\":\"" + reason + "\"}", () -> toPost(node));
    return asked.entrySet().stream()
        .map(each -> CompletableFuture.runAsync(() -> waits(each.getKey(), each.getValue())))
        .toList();
  }

  private static String toPost(BrokerProcess node) {
    Http.Response answer = node.http().post("/pub?topic=t", "m");
    return answer.status() + " " + answer.body();
  }

  private static void waits(String expected, Supplier<String> asked) {
    long startNs = System.nanoTime();
    assertEquals(expected, asked.get());
    long ms = RawNsqConnection.millisSince(startNs);
    assertTrue(ms >= NO_LEADER_MS, () -> expected + " after " + ms + " ms");
  }

  /**
   * What a command on a connection of its own is answered.
   *
   * @param body null for none
   */
  static String to(BrokerProcess node, String command, String body) {
    try (RawNsqConnection client = node.connect()) {
      Frame frame =
          (body == null ? client.line(command) : client.command(command, body))
              .pollFrame(ClusterProcesses.LONG);
      return frame == null ? "nothing" : frame.text();
    }
  }
}
