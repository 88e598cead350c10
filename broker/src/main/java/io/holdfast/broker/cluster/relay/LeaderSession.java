package io.holdfast.broker.cluster.relay;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.relay.RelayFrame.Ask;
import io.holdfast.broker.cluster.relay.RelayFrame.Tell;
import io.netty.buffer.ByteBuf;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's side of the relay to one leader, for all of its clients there: numbers what goes
 * there, and sees by the numbers of what comes whether anything was lost. Then it is broken, and
 * with it all that it has: whoever needs it still makes another one. Thread-safe.
 */
final class LeaderSession {
  /** Bytes on their way from which on clients are to bring nothing more. */
  static final long MAX_UNSENT_BYTES = 1 << 20;

  /** Questions without an answer, one a second, after which it is taken for broken. */
  static final int MAX_UNANSWERED = 4;

  private static final Logger LOG = LoggerFactory.getLogger(LeaderSession.class);

  private final RelayLink link;
  private final String node;
  private final long number;
  private final Consumer<LeaderSession> onBroken;
  private final Map<Long, RelayedSubscription> subscriptions = new ConcurrentHashMap<>();

  @GuardedBy("this")
  private int nextOut;

  @GuardedBy("this")
  private int nextIn;

  @GuardedBy("this")
  private long unsentBytes;

  @GuardedBy("this")
  private int unanswered;

  /** Of whoever waits until less is on its way; null for nobody. */
  @GuardedBy("this")
  private CompletableFuture<Void> room;

  private volatile boolean broken;

  /**
   * @param number above that of all this node ever had
   * @param onBroken told once; must not block
   */
  LeaderSession(RelayLink link, String node, long number, Consumer<LeaderSession> onBroken) {
    this.link = link;
    this.node = node;
    this.number = number;
    this.onBroken = onBroken;
  }

  String node() {
    return node;
  }

  long number() {
    return number;
  }

  /** Whether nothing goes or comes any more. */
  boolean isBroken() {
    return broken;
  }

  // ---------------------------------------------------------------- out

  /**
   * Has somebody told what comes for a subscription, from now on; {@link Ask#SUB} is to follow.
   *
   * @param id that no other has
   */
  void add(long id, RelayedSubscription subscription) {
    subscriptions.put(id, subscription);
    if (broken) {
      subscriptions.remove(id);
      subscription.told(id, Tell.BROKEN, null);
    }
  }

  /** Ends a subscription. */
  void leave(long id) {
    if (subscriptions.remove(id) != null) {
      ask(Ask.LEAVE, id, 0, frame -> {});
    }
  }

  /**
   * Sends something; when it cannot be sent the session is broken.
   *
   * @param bytes about so many, beside the head
   * @param content writes them
   */
  void ask(Ask what, long subscription, int bytes, Consumer<ByteBuf> content) {
    synchronized (this) {
      if (broken) {
        return;
      }
      ByteBuf frame = RelayFrame.begin(bytes, number, what, subscription);
      content.accept(frame);
      int size = frame.readableBytes();
      unsentBytes += size;
      link.send(node, Relays.TO_LEADER, RelayFrame.number(frame, nextOut++))
          .whenComplete((sent, failure) -> sent(size, failure));
    }
  }

  private void sent(int size, Throwable failure) {
    CompletableFuture<Void> waiting = null;
    synchronized (this) {
      unsentBytes -= size;
      if (room != null && unsentBytes <= MAX_UNSENT_BYTES / 2) {
        waiting = room;
        room = null;
      }
    }
    if (waiting != null) {
      waiting.complete(null);
    }
    if (failure != null) {
      breakUp(failure.getMessage());
    }
  }

  /** Done when clients may bring more; null when they may now. */
  synchronized CompletableFuture<Void> behind() {
    if (broken || unsentBytes <= MAX_UNSENT_BYTES) {
      return null;
    }
    if (room == null) {
      room = new CompletableFuture<>();
    }
    return room;
  }

  /** Each second: asks whether all is well. */
  void ping() {
    if (subscriptions.isEmpty()) {
      return;
    }
    synchronized (this) {
      unanswered++;
      if (unanswered <= MAX_UNANSWERED) {
        ask(Ask.PING, 0, 0, frame -> {});
        return;
      }
    }
    breakUp("no answer");
  }

  // ---------------------------------------------------------------- in

  /**
   * A frame has come, behind its session.
   *
   * @param frame on the heap
   */
  void told(ByteBuf frame) {
    int its = frame.readInt();
    Tell what = RelayFrame.TELLS[frame.readUnsignedByte()];
    long id = frame.readLong();
    if (what == Tell.BROKEN) {
      breakUp("the leader says so");
      return;
    }
    boolean isNext;
    synchronized (this) {
      isNext = its == nextIn;
      nextIn++;
      unanswered = 0;
    }
    if (!isNext) {
      breakUp("something was lost");
      return;
    }
    RelayedSubscription subscription = subscriptions.get(id);
    if (subscription == null) {
      return;
    }
    if (what == Tell.ENDED || what == Tell.REFUSED) {
      subscriptions.remove(id);
    }
    subscription.told(id, what, frame);
  }

  /** Nothing goes or comes any more. */
  void breakUp(String why) {
    CompletableFuture<Void> waiting;
    synchronized (this) {
      if (broken) {
        return;
      }
      broken = true;
      waiting = room;
      room = null;
    }
    LOG.debug("CLUSTER: relay to {}: {}", node, why);
    onBroken.accept(this);
    if (waiting != null) {
      waiting.complete(null);
    }
    subscriptions.forEach((id, subscription) -> subscription.told(id, Tell.BROKEN, null));
    subscriptions.clear();
  }
}
