package io.holdfast.broker.meters;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What the broker as a whole counts while it works, for whoever shows it. Thread-safe; hot paths
 * only add.
 */
public final class BrokerMeters {
  /** The protocol's error codes: nothing that a client makes up becomes a label. */
  private static final Set<String> CODES =
      Set.of(
          "E_INVALID",
          "E_BAD_PROTOCOL",
          "E_BAD_BODY",
          "E_BAD_TOPIC",
          "E_BAD_CHANNEL",
          "E_BAD_MESSAGE",
          "E_PUB_FAILED",
          "E_MPUB_FAILED",
          "E_DPUB_FAILED",
          "E_SUB_FAILED",
          "E_FIN_FAILED",
          "E_REQ_FAILED",
          "E_TOUCH_FAILED",
          "E_IDENTIFY_FAILED",
          "E_AUTH_FAILED",
          "E_AUTH_FIRST",
          "E_AUTH_DISABLED",
          "E_AUTH_ERROR",
          "E_UNAUTHORIZED");

  private final LatencyCounts publish = LatencyCounts.shared(LatencyCounts.SHORT_SECONDS);
  private final LatencyCounts sync = LatencyCounts.shared(LatencyCounts.SHORT_SECONDS);
  private final LatencyCounts eventLoopDelay = LatencyCounts.shared(LatencyCounts.SHORT_SECONDS);
  private final LatencyCounts reclaim = LatencyCounts.shared(LatencyCounts.SHORT_SECONDS);
  private final LatencyCounts checkpoint = LatencyCounts.shared(LatencyCounts.SHORT_SECONDS);
  private final Map<String, LongAdder> protocolErrors = new ConcurrentHashMap<>();

  /** From a publish command being complete to its OK being sent. */
  public LatencyCounts publish() {
    return publish;
  }

  /** One force of a log to disk. */
  public LatencyCounts sync() {
    return sync;
  }

  /** How late an event loop runs what is due. */
  public LatencyCounts eventLoopDelay() {
    return eventLoopDelay;
  }

  /** One look for journal files that can go, over one topic. */
  public LatencyCounts reclaim() {
    return reclaim;
  }

  /** One checkpoint of a channel's ledger. */
  public LatencyCounts checkpoint() {
    return checkpoint;
  }

  /**
   * An error frame was sent.
   *
   * @param text what it said, beginning with the code; counts as nothing if that is none of ours
   */
  public void protocolError(String text) {
    int blank = text.indexOf(' ');
    String code = blank < 0 ? text : text.substring(0, blank);
    if (CODES.contains(code)) {
      protocolErrors.computeIfAbsent(code, key -> new LongAdder()).increment();
    }
  }

  /** Error frames sent, by code; codes never sent are absent. */
  public Map<String, LongAdder> protocolErrors() {
    return protocolErrors;
  }
}
