package io.holdfast.broker.limits;

import io.netty.util.internal.PlatformDependent;
import java.util.LinkedHashMap;
import java.util.List;
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

  /** With so much of it topics may do what others have not taken; the others do with less then. */
  private static final int MOST_TOPICS_PERCENT = 60;

  private static final int PERCENT = 100;

  /** What a topic, and each of its channels, takes of the heap while its files are closed. */
  public static final long TOPIC_BYTES = 4864;

  /** What it takes beside while its files are open. */
  private static final long OPEN_BYTES = 20 * 1024;

  /** Open files of topics have at least this part of what may be taken. */
  private static final int OPEN_PARTS = 10;

  /** Of the direct memory, input and output each get this part unless configured. */
  private static final int DIRECT_PARTS = 4;

  private final long heapBytes;
  private final MemoryPart queues;
  private final MemoryPart inFlight;
  private final MemoryPart deferred;
  private final MemoryPart connections;
  private final MemoryPart topics;
  private final List<MemoryPart> lenders;
  private final long usableBytes;
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
    topics = new MemoryPart(usable / PERCENT * MOST_TOPICS_PERCENT);
    lenders = List.of(queues, inFlight, deferred, connections);
    usableBytes = usable;
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

  /** A topic or channel has been made, or was there: it takes its memory. */
  public synchronized void topicOpened() {
    topics.reserve(TOPIC_BYTES);
    lend();
  }

  /** A topic or channel has ended. */
  public synchronized void topicClosed() {
    topics.release(TOPIC_BYTES);
    lend();
  }

  /** What topics have beyond their own percentage the others go without, each as it is large. */
  private void lend() {
    long beyond = topics.usedBytes() - ownTopicsBytes();
    long theirs = lenders.stream().mapToLong(MemoryPart::ownBytes).sum();
    double part = Math.min(1, Math.max(0, (double) beyond / theirs));
    lenders.forEach(lender -> lender.lend((long) (lender.ownBytes() * part)));
  }

  private long ownTopicsBytes() {
    return usableBytes / PERCENT * TOPICS_PERCENT;
  }

  /**
   * Whether one more topic or channel may be made: some always, more as long as the others have not
   * taken it, up to the limit.
   */
  public boolean hasRoomForTopic() {
    long needed = topics.usedBytes() + TOPIC_BYTES;
    long others = lenders.stream().mapToLong(MemoryPart::usedBytes).sum();
    return needed <= ownTopicsBytes()
        || (needed <= topics.limitBytes() && needed + others <= usableBytes);
  }

  /** How many logs, journals or ledgers, may be open at once before those in no use are closed. */
  public int mostOpenLogs() {
    long bytes = Math.max(usableBytes / OPEN_PARTS, topics.limitBytes() - topics.usedBytes());
    return (int) Math.min(Integer.MAX_VALUE, bytes / OPEN_BYTES);
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
