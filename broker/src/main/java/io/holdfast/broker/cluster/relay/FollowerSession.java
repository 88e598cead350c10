package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.cluster.relay.RelayFrame.Ask;
import io.holdfast.broker.cluster.relay.RelayFrame.Tell;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.SubscriberInfo;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A leader's side of the relay to one other node: has that node's clients among the consumers of
 * channels that are led here, as long as the session is whole. Owned by its loop.
 */
final class FollowerSession {
  /** Why a relay is refused by who does not lead, or not yet. */
  static final String NOT_LEADING = "not leading";

  /** Bytes on their way from which on nothing more is delivered. */
  static final long MAX_UNSENT_BYTES = 4 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(FollowerSession.class);

  private final String node;
  private final RelayLink link;
  private final RelayLoop loop;
  private final LedChannels led;
  private final Map<Long, RelayedConsumer> consumers = new HashMap<>();
  private long number = -1;
  private boolean broken = true;
  private int nextIn;
  private int nextOut;
  private long unsentBytes;
  private boolean congested;

  FollowerSession(String node, RelayLink link, RelayLoop loop, LedChannels led) {
    this.node = node;
    this.link = link;
    this.loop = loop;
    this.led = led;
  }

  String node() {
    return node;
  }

  RelayLoop loop() {
    return loop;
  }

  LedChannels led() {
    return led;
  }

  // ---------------------------------------------------------------- in

  /**
   * A frame has come. Any thread, in order.
   *
   * @param frame on the heap
   */
  void asked(ByteBuf frame) {
    loop.execute(() -> take(frame));
  }

  /** The node can be told something, or no more. Any thread. */
  void reachable(boolean isReachable) {
    loop.execute(
        () -> {
          if (!isReachable) {
            breakUp("not reachable");
          } else if (broken && number >= 0) {
            tellBroken();
          }
        });
  }

  private void take(ByteBuf frame) {
    long session = frame.readLong();
    if (session < number) {
      return;
    }
    if (session > number) {
      breakUp("another one begins");
      number = session;
      broken = false;
      nextIn = 0;
      nextOut = 0;
    }
    if (broken) {
      tellBroken();
      return;
    }
    boolean isWhole = false;
    try {
      isWhole = frame.readInt() == nextIn++;
      if (isWhole) {
        isWhole = false;
        take(RelayFrame.ASKS[frame.readUnsignedByte()], frame.readLong(), frame);
        isWhole = true;
      }
    } catch (IOException e) {
      LOG.warn("CLUSTER: relay from {}: {}", node, e.getMessage());
    } finally {
      if (!isWhole) {
        breakUp("something was lost");
        tellBroken();
      }
    }
  }

  private void take(Ask what, long id, ByteBuf frame) throws IOException {
    if (what == Ask.PING) {
      tell(Tell.PONG, 0, 0, answer -> {});
      return;
    }
    if (what == Ask.SUB) {
      subscribe(id, frame);
      return;
    }
    RelayedConsumer consumer = consumers.get(id);
    if (consumer == null) {
      return;
    }
    if (what == Ask.LEAVE) {
      consumers.remove(id);
      consumer.leave();
    } else {
      consumer.take(what, frame);
    }
  }

  private void subscribe(long id, ByteBuf frame) throws IOException {
    int ready = frame.readInt();
    String topic = RelayFrame.string(frame);
    String channel = RelayFrame.string(frame);
    SubscriberInfo info = Relays.JSON.readValue(RelayFrame.string(frame), SubscriberInfo.class);
    if (!led.isLed(topic)) {
      refuse(id, true, NOT_LEADING);
      return;
    }
    RelayedConsumer consumer = new RelayedConsumer(this, id, info, ready);
    consumers.put(id, consumer);
    led.channel(topic, channel, info.keepsBacklog())
        .whenComplete((made, failure) -> loop.execute(() -> join(consumer, topic, made, failure)));
  }

  private void join(
      RelayedConsumer consumer, String topic, MessageSource channel, Throwable failure) {
    if (consumers.get(consumer.id()) != consumer) {
      if (channel != null) {
        led.left(channel);
      }
      return;
    }
    try {
      if (failure != null) {
        throw BrokerException.of(failure);
      }
      channel.addClient(consumer);
    } catch (BrokerException e) {
      consumers.remove(consumer.id());
      boolean isPassing = led.isPassing(topic, e);
      refuse(consumer.id(), isPassing, led.isLed(topic) ? e.getMessage() : NOT_LEADING);
      return;
    }
    tell(
        Tell.JOINED,
        consumer.id(),
        Long.BYTES,
        answer -> answer.writeLong(channel.maxMsgTimeoutNs()));
    consumer.joined(channel);
  }

  private void refuse(long id, boolean isPassing, String why) {
    tell(
        Tell.REFUSED,
        id,
        Integer.BYTES + why.length(),
        answer -> RelayFrame.string(answer.writeBoolean(isPassing), why));
  }

  /** A channel is gone. */
  void ended(RelayedConsumer consumer, boolean isElsewhere) {
    if (consumers.remove(consumer.id(), consumer)) {
      consumer.leave();
      tell(Tell.ENDED, consumer.id(), 1, answer -> answer.writeBoolean(isElsewhere));
    }
  }

  // ---------------------------------------------------------------- out

  void failed(long id, Ask command, long message, Outcome why) {
    tell(
        Tell.FAILED,
        id,
        Long.BYTES + 2,
        answer ->
            answer
                .writeByte(command.onWire())
                .writeLong(message)
                .writeByte(RelayFrame.OUTCOMES.indexOf(why)));
  }

  void tell(Tell what, long id, int bytes, Consumer<ByteBuf> content) {
    if (!broken) {
      ByteBuf frame = begin(what, id, bytes);
      content.accept(frame);
      send(frame);
    }
  }

  /** A frame to be filled and sent, or released. */
  ByteBuf begin(Tell what, long id, int bytes) {
    return RelayFrame.begin(bytes, number, what, id);
  }

  void send(ByteBuf frame) {
    if (broken) {
      frame.release();
      return;
    }
    int size = frame.readableBytes();
    long session = number;
    unsentBytes += size;
    congested |= unsentBytes > MAX_UNSENT_BYTES;
    link.send(node, Relays.FROM_LEADER, RelayFrame.number(frame, nextOut++))
        .whenComplete((sent, failure) -> loop.execute(() -> sent(session, size, failure)));
  }

  private void sent(long session, int size, Throwable failure) {
    unsentBytes -= size;
    if (failure != null && session == number) {
      breakUp(failure.getMessage());
    }
    if (congested && unsentBytes <= MAX_UNSENT_BYTES / 2) {
      congested = false;
      consumers.values().forEach(RelayedConsumer::wake);
    }
  }

  /** Whether so much is on its way that nothing more is to be delivered. */
  boolean isCongested() {
    return congested;
  }

  /** All that it has is over: what those clients have in flight comes back. */
  private void breakUp(String why) {
    if (broken) {
      return;
    }
    broken = true;
    LOG.debug("CLUSTER: relay from {}: {}", node, why);
    List<RelayedConsumer> leaving = new ArrayList<>(consumers.values());
    consumers.clear();
    leaving.forEach(RelayedConsumer::leave);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // Whoever asks again is told again.
  private void tellBroken() {
    link.send(node, Relays.FROM_LEADER, RelayFrame.begin(0, number, Tell.BROKEN, 0));
  }
}
