package io.holdfast.broker.limits;

import io.netty.util.internal.PlatformDependent;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How the memory of the JVM is divided among all that can grow, so that nothing a client does ends
 * in an OutOfMemoryError: who finds its part used up does without, waits or is refused. Derived
 * from the maximum heap and, for what passes through sockets, the direct memory. Thread-safe.
 */
public final class MemoryBudget {
  /** What the JVM, the libraries and an idle broker keep on the heap. */
  private static final long BASE_BYTES = 24L << 20;

  /** Of the rest, what may be taken, in percent; the other part is for garbage. */
  private static final int USABLE_PERCENT = 75;

  /** Of a heap so small that the base takes most of it, this part is divided all the same. */
  private static final int MIN_PARTS = 4;

  private static final int QUEUES_PERCENT = 25;
  private static final int IN_FLIGHT_PERCENT = 13;
  private static final int DEFERRED_PERCENT = 20;
  private static final int CONNECTIONS_PERCENT = 22;
  private static final int TOPICS_PERCENT = 20;
  private static final int PERCENT = 100;

  /**
   * What a topic, and each of its channels, takes of the heap, in bytes: 4 KiB while its files are
   * closed, up to 25 KiB while they are open.
   */
  public static final long TOPIC_BYTES = 10 * 1024;

  /** Of the direct memory, input and output each get this part unless configured. */
  private static final int DIRECT_PARTS = 4;

  private final long heapBytes;
  private final MemoryPart queues;
  private final MemoryPart inFlight;
  private final MemoryPart deferred;
  private final MemoryPart connections;
  private final MemoryPart topics;
  private final InputBudget input;
  private final OutputBudget output;

  /** What a part may use, and uses. */
  public record Usage(long limitBytes, long usedBytes) {}

  MemoryBudget(long heapBytes, long maxInputBytes, long maxOutputBytes) {
    this.heapBytes = heapBytes;
    long usable =
        Math.max(heapBytes / MIN_PARTS, (heapBytes - BASE_BYTES) / PERCENT * USABLE_PERCENT);
    queues = new MemoryPart(usable / PERCENT * QUEUES_PERCENT);
    inFlight = new MemoryPart(usable / PERCENT * IN_FLIGHT_PERCENT);
    deferred = new MemoryPart(usable / PERCENT * DEFERRED_PERCENT);
    connections = new MemoryPart(usable / PERCENT * CONNECTIONS_PERCENT);
    topics = new MemoryPart(usable / PERCENT * TOPICS_PERCENT);
    input = new InputBudget(maxInputBytes);
    output = new OutputBudget(maxOutputBytes);
  }

  /**
   * Divides the memory of this JVM.
   *
   * @param maxInputBytes 0 for a part of what the JVM has for buffers
   * @param maxTotalOutputBytes likewise
   */
  public static MemoryBudget ofThisJvm(long maxInputBytes, long maxTotalOutputBytes) {
    long direct = PlatformDependent.maxDirectMemory() / DIRECT_PARTS;
    return new MemoryBudget(
        Runtime.getRuntime().maxMemory(),
        maxInputBytes > 0 ? maxInputBytes : direct,
        maxTotalOutputBytes > 0 ? maxTotalOutputBytes : direct);
  }

  /** Messages with their bodies that wait in memory queues. Used up: the journal has them. */
  public MemoryPart queues() {
    return queues;
  }

  /** Messages with consumers. Used up: deliveries wait, but for one to each consumer. */
  public MemoryPart inFlight() {
    return inFlight;
  }

  /** References to deferred and requeued messages. Used up: they stay in the journal. */
  public MemoryPart deferred() {
    return deferred;
  }

  /** What connections keep. Used up: new ones are refused. */
  public MemoryPart connections() {
    return connections;
  }

  /** What topics and channels take themselves. Used up: new ones are refused. */
  public MemoryPart topics() {
    return topics;
  }

  /** Whether one more topic or channel may be made. */
  public boolean hasRoomForTopic() {
    return topics.usedBytes() + TOPIC_BYTES <= topics.limitBytes();
  }

  /** Why none may be made, for the client. */
  public String topicsRefusal() {
    return "topics and channels take their "
        + topics.limitBytes()
        + " bytes (memory budget, by the heap)";
  }

  /** Commands and requests that are arriving. Used up: they wait, unread. */
  public InputBudget input() {
    return input;
  }

  /** Replies and messages that clients have not taken. Used up: nobody gets more. */
  public OutputBudget output() {
    return output;
  }

  /** The parts by name, in the order in which they are shown. */
  public Map<String, Usage> parts() {
    Map<String, Usage> parts = new LinkedHashMap<>();
    parts.put("queues", usage(queues));
    parts.put("in_flight", usage(inFlight));
    parts.put("deferred", usage(deferred));
    parts.put("input", new Usage(input.limitBytes(), input.usedBytes()));
    parts.put("output", new Usage(output.limitBytes(), output.usedBytes()));
    parts.put("connections", usage(connections));
    parts.put("topics", usage(topics));
    return parts;
  }

  private static Usage usage(MemoryPart part) {
    return new Usage(part.limitBytes(), part.usedBytes());
  }

  /** The division in one line, for the log. */
  public String describe() {
    StringBuilder text = new StringBuilder("memory budget of a heap of ");
    text.append(mib(heapBytes)).append(':');
    String separator = " ";
    for (Map.Entry<String, Usage> part : parts().entrySet()) {
      text.append(separator).append(part.getKey()).append(' ');
      text.append(mib(part.getValue().limitBytes()));
      separator = ", ";
    }
    return text.toString();
  }

  private static String mib(long bytes) {
    return (bytes >> 20) + " MiB";
  }
}
