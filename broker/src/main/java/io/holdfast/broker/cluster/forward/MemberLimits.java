package io.holdfast.broker.cluster.forward;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.NodeStatus;
import io.holdfast.broker.queue.PublishLimits;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses what not all members can store: an entry that one log refuses would stop that node, and
 * two are to have room for what is published. {@link #look} has the newest of what nodes say; one
 * that never said anything has no say. Thread-safe.
 */
public final class MemberLimits implements PublishRefusals {
  private static final Logger LOG = LoggerFactory.getLogger(MemberLimits.class);

  /** Part of the limit that has to be free beyond it, before a disk counts as not full again. */
  private static final int SLACK_PART = 16;

  private final List<String> names;
  private final Function<String, NodeStatus> statuses;
  private volatile Set<String> full = Set.of();
  private volatile Limits limits;

  /** What was said in the log of each option that is not the same everywhere; by option. */
  @GuardedBy("this")
  private final Map<String, String> differing = new TreeMap<>();

  private record Limits(int maxMsgSize, int maxSectionBytes, String refusal) {}

  /**
   * Refuses nothing before the first {@link #look}.
   *
   * @param names of all nodes
   * @param statuses what a node, this one too, last said; null for nothing
   */
  public MemberLimits(List<String> names, Function<String, NodeStatus> statuses) {
    this.names = List.copyOf(names);
    this.statuses = statuses;
    limits = new Limits(Integer.MAX_VALUE, Integer.MAX_VALUE, null);
  }

  /** Takes note of what the nodes say; each second. */
  public synchronized void look() {
    TreeMap<String, NodeStatus> known = new TreeMap<>();
    Set<String> fullNow = new TreeSet<>();
    for (String name : names) {
      NodeStatus status = statuses.apply(name);
      if (status == null) {
        continue;
      }
      known.put(name, status);
      long limit = status.diskFreeLimitBytes();
      long until = full.contains(name) ? limit + limit / SLACK_PART : limit;
      if (status.diskFreeBytes() < until) {
        fullNow.add(name);
      }
    }
    full = fullNow;
    int maxMsgSize = smallest("max_msg_size", known, NodeStatus::maxMsgSize);
    int maxBodySize = smallest("max_body_size", known, NodeStatus::maxBodySize);
    limits =
        new Limits(
            maxMsgSize,
            known.isEmpty()
                ? Integer.MAX_VALUE
                : PublishLimits.maxSectionBytes(maxMsgSize, maxBodySize),
            names.size() - fullNow.size() < 2 ? diskRefusal(fullNow, known) : null);
  }

  /** What counts for all; that not all have it is said once. */
  @GuardedBy("this")
  private int smallest(
      String option, Map<String, NodeStatus> known, ToLongFunction<NodeStatus> size) {
    LongSummaryStatistics sizes = known.values().stream().mapToLong(size).summaryStatistics();
    if (sizes.getMin() >= sizes.getMax()) {
      differing.remove(option);
    } else {
      String all =
          known.entrySet().stream()
              .map(each -> each.getKey() + " " + size.applyAsLong(each.getValue()))
              .collect(Collectors.joining(", "));
      if (!all.equals(differing.put(option, all))) {
        LOG.warn("CLUSTER: {} differs: {}: the smallest counts for all", option, all);
      }
    }
    return (int) Math.min(sizes.getMin(), Integer.MAX_VALUE);
  }

  private static String diskRefusal(Set<String> full, Map<String, NodeStatus> known) {
    List<NodeStatus> statuses = full.stream().map(known::get).toList();
    return "disk is nearly full on "
        + String.join(", ", full)
        + ": "
        + joined(statuses.stream().mapToLong(NodeStatus::diskFreeBytes))
        + " bytes free, disk_free_limit is "
        + joined(statuses.stream().mapToLong(NodeStatus::diskFreeLimitBytes).distinct());
  }

  private static String joined(LongStream numbers) {
    return numbers.mapToObj(Long::toString).collect(Collectors.joining(", "));
  }

  /** Whether a node has little room left: others had better lead. */
  public boolean isFull(String node) {
    return full.contains(node);
  }

  /** Why no publish is taken now, whatever its size; null when some are. */
  public String diskRefusal() {
    return limits.refusal();
  }

  @Override
  public String refusal(ByteBuffer section, int count) {
    Limits now = limits;
    if (now.refusal() != null) {
      return now.refusal();
    }
    if (section.remaining() > now.maxSectionBytes()) {
      return "publish of " + section.remaining() + " bytes exceeds " + now.maxSectionBytes();
    }
    int at = section.position();
    for (int i = 0; i < count; i++) {
      int bytes = section.getInt(at);
      if (bytes > now.maxMsgSize()) {
        return "message too big "
            + bytes
            + " > "
            + now.maxMsgSize()
            + ", the smallest max_msg_size of the nodes";
      }
      at += Integer.BYTES + bytes;
    }
    return null;
  }
}
