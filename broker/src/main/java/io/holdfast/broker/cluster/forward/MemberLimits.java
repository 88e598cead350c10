package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.NodeStatus;
import io.holdfast.broker.queue.PublishLimits;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Refuses what not all members can store: an entry that one log refuses would stop that node, and
 * two are to have room for what is published. {@link #look} has the newest of what nodes say; one
 * that never said anything has no say. Thread-safe.
 */
public final class MemberLimits implements PublishRefusals {
  /** Part of the limit that has to be free beyond it, before a disk counts as not full again. */
  private static final int SLACK_PART = 16;

  private final List<String> names;
  private final Function<String, NodeStatus> statuses;
  private final LongSupplier diskFreeLimitBytes;
  private volatile Set<String> full = Set.of();
  private volatile Limits limits;

  private record Limits(int maxMsgSize, int maxSectionBytes, String refusal) {}

  /**
   * Refuses nothing before the first {@link #look}.
   *
   * @param names of all nodes
   * @param statuses what a node, this one too, last said; null for nothing
   * @param diskFreeLimitBytes this node's, which counts for all
   */
  public MemberLimits(
      List<String> names, Function<String, NodeStatus> statuses, LongSupplier diskFreeLimitBytes) {
    this.names = List.copyOf(names);
    this.statuses = statuses;
    this.diskFreeLimitBytes = diskFreeLimitBytes;
    limits = new Limits(Integer.MAX_VALUE, Integer.MAX_VALUE, null);
  }

  /** Takes note of what the nodes say; each second. */
  public synchronized void look() {
    long maxMsgSize = Integer.MAX_VALUE;
    long maxBodySize = Integer.MAX_VALUE;
    long limit = diskFreeLimitBytes.getAsLong();
    Set<String> fullNow = new TreeSet<>();
    TreeMap<String, Long> free = new TreeMap<>();
    for (String name : names) {
      NodeStatus status = statuses.apply(name);
      if (status == null) {
        continue;
      }
      maxMsgSize = Math.min(maxMsgSize, status.maxMsgSize());
      maxBodySize = Math.min(maxBodySize, status.maxBodySize());
      free.put(name, status.diskFreeBytes());
      long until = full.contains(name) ? limit + limit / SLACK_PART : limit;
      if (status.diskFreeBytes() < until) {
        fullNow.add(name);
      }
    }
    full = fullNow;
    boolean isKnown = !free.isEmpty();
    limits =
        new Limits(
            (int) maxMsgSize,
            isKnown
                ? PublishLimits.maxSectionBytes((int) maxMsgSize, (int) maxBodySize)
                : Integer.MAX_VALUE,
            names.size() - fullNow.size() < 2 ? diskRefusal(fullNow, free, limit) : null);
  }

  private static String diskRefusal(Set<String> full, Map<String, Long> free, long limit) {
    return "disk is nearly full on "
        + String.join(", ", full)
        + ": "
        + String.join(", ", full.stream().map(name -> free.get(name).toString()).toList())
        + " bytes free, disk_free_limit is "
        + limit;
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
