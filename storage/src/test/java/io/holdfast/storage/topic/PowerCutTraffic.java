package io.holdfast.storage.topic;

import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.Retention;
import io.holdfast.storage.topic.PowerCutModel.ChannelModel;
import io.holdfast.storage.topic.PowerCutModel.Published;
import io.holdfast.storage.topic.PowerCutModel.Taken;
import io.holdfast.storage.topic.PowerCutModel.TopicModel;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * What happens to messages in a {@link PowerCutBroker}: published, consumed, dropped, and their
 * files checkpointed and removed; the model hears of it at the moments that count. One thread.
 */
final class PowerCutTraffic {
  private static final long START_NS = 1_000_000_000_000_000_000L;

  private final boolean synced;
  private final Random random;
  private long timeNs = START_NS;
  private int bodies;

  PowerCutTraffic(boolean synced, Random random) {
    this.synced = synced;
    this.random = random;
  }

  /** Goes on where another one is now. */
  PowerCutTraffic(PowerCutTraffic of, Random random) {
    this(of.synced, random);
    timeNs = of.timeNs;
    bodies = of.bodies;
  }

  long now() {
    timeNs += 1000;
    return timeNs;
  }

  /** Files are filled, finished and removed, and the next ones are what they were. */
  void turnOver(TopicModel topic) throws IOException {
    for (int i = 1 + random.nextInt(16); i > 0; i--) {
      publish(topic, true);
      if (random.nextInt(4) == 0) {
        for (ChannelModel channel : topic.channels.values()) {
          empty(channel);
        }
        removeFiles(topic);
      }
    }
  }

  void publish(TopicModel topic) throws IOException {
    publish(topic, false);
  }

  private void publish(TopicModel topic, boolean large) throws IOException {
    int count = random.nextInt(3) == 0 ? 1 + random.nextInt(20) : 1;
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int filler =
          large || random.nextInt(10) == 0 ? random.nextInt(9000 / count) : random.nextInt(200);
      texts.add(topic.name + bodies++ + "." + Character.toString('A' + bodies % 26).repeat(filler));
    }
    Published published =
        new Published(texts, random.nextInt(6) == 0 ? 1 + random.nextInt(100_000) : 0);
    Batch batch = Batches.of(published.deferMs, texts);
    long expected = topic.journal.nextOrdinal();
    try {
      topic.journal.append(batch);
    } catch (SyncFailedException refused) {
      return;
    }
    published.first = batch.firstOrdinal();
    PowerCutCheck.require(published.first >= expected, "ordinals go back");
    for (int i = 0; i < count; i++) {
      String before = topic.used.put(published.first + i, texts.get(i));
      PowerCutCheck.require(
          before == null, "ordinal " + (published.first + i) + " is used for " + before + " too");
    }
    topic.published.put(published.first, published);
    if (topic.heldFrom < 0) {
      // All of them before the first put: the power can fail in that, and the journal has it.
      for (ChannelModel channel : topic.channels.values()) {
        for (long ordinal = published.first; ordinal < published.end(); ordinal++) {
          channel.may.add(ordinal);
          channel.unfinished.add(ordinal);
        }
      }
      for (ChannelModel channel : topic.channels.values()) {
        put(channel, batch);
      }
    }
    boolean durable =
        topic.journal.whenDurable(
            new Journal.DurabilityListener() {
              @Override
              public void onDurable() {
                published.certain = true;
              }

              @Override
              public void onFailed(IOException e) {
                // Stays uncertain.
              }
            });
    PowerCutCheck.require(durable != synced, "whenDurable says " + durable);
  }

  private void put(ChannelModel channel, Batch batch) throws IOException {
    int inMemory = 0;
    List<MessageRef> refs = refs(batch);
    if (batch.deferMs() > 0 && random.nextBoolean()) {
      List<HeldMessage> held = new ArrayList<>();
      for (MessageRef ref : refs) {
        held.add(new HeldMessage(ref, timeNs / 1_000_000 + batch.deferMs()));
        channel.taken.add(new Taken(ref, timeNs / 1_000_000 + batch.deferMs()));
      }
      channel.backend.putHeld(batch, held);
      return;
    }
    if (channel.backend.isCaughtUp()) {
      inMemory = random.nextInt(batch.count() + 1);
      channel.memory.addAll(refs.subList(0, inMemory));
    }
    channel.backend.put(batch, inMemory);
  }

  private static List<MessageRef> refs(Batch batch) {
    List<MessageRef> refs = new ArrayList<>();
    var section = batch.section();
    int start = section.position();
    int at = start;
    for (int i = 0; i < batch.count(); i++) {
      int length = section.getInt(at);
      refs.add(
          new MessageRef(
              batch.firstOrdinal() + i,
              batch.position(),
              batch.sectionOffset() + at + Integer.BYTES - start,
              length,
              0));
      at += Integer.BYTES + length;
    }
    return refs;
  }

  void consume(TopicModel topic, ChannelModel channel) throws IOException {
    OrdinalRanges delivered = new OrdinalRanges();
    MessageView view = new MessageView();
    for (int i = random.nextInt(30); i > 0; i--) {
      MessageRef ref = channel.memory.poll();
      if (ref == null && channel.backend.poll(view)) {
        ref = Batches.ref(view);
        PowerCutCheck.require(
            Batches.text(view).equals(topic.used.get(view.ordinal())),
            "message " + view.ordinal() + " reads otherwise");
      }
      if (ref != null) {
        ref.nextAttempt();
        delivered.add(ref.ordinal());
        channel.taken.add(new Taken(ref, 0));
      }
    }
    if (!delivered.isEmpty()) {
      channel.backend.deliver(delivered);
    }
    OrdinalRanges finished = new OrdinalRanges();
    List<HeldMessage> held = new ArrayList<>();
    List<Taken> left = new ArrayList<>();
    // Some rounds finish all there is, so that files get free.
    int finishOf10 = random.nextInt(4) == 0 ? 10 : random.nextInt(10);
    for (Taken taken : channel.taken) {
      if (taken.dead() && random.nextInt(4) > 0) {
        left.add(taken);
        continue;
      }
      channel.dead.remove(taken.ref().ordinal());
      if (random.nextInt(10) < finishOf10) {
        finished.add(taken.ref().ordinal());
        channel.unfinished.remove(taken.ref().ordinal());
      } else if (random.nextInt(10) == 0) {
        Taken again = again(taken);
        held.add(again.held());
        left.add(again);
      } else {
        left.add(taken);
      }
    }
    channel.taken.clear();
    channel.taken.addAll(left);
    if (!finished.isEmpty()) {
      channel.backend.finish(finished);
      // Not before: a checkpoint's force within could not have covered them.
      for (int i = 0; i < finished.count(); i++) {
        for (long ordinal = finished.from(i); ordinal < finished.to(i); ordinal++) {
          channel.finishing.add(ordinal);
        }
      }
    }
    if (!held.isEmpty()) {
      channel.backend.hold(held);
    }
  }

  /** It came back: is ready or deferred, has died, or lives again. */
  private Taken again(Taken taken) {
    if (taken.dead()) {
      taken.ref().redrive();
    } else if (random.nextInt(3) == 0) {
      return new Taken(taken.ref(), timeNs / 1_000_000, true);
    }
    return new Taken(taken.ref(), random.nextInt(3) * (timeNs / 1_000_000 + 5000));
  }

  Iterator<HeldMessage> held(ChannelModel channel) {
    return channel.taken.stream()
        .filter(taken -> taken.ref().packedAttempts() > 0 || taken.dueMs() > 0)
        .map(Taken::held)
        .iterator();
  }

  /** To a message that is there, or to the end; as the broker does it, forced at once. */
  void rewind(TopicModel topic, ChannelModel channel) throws IOException {
    try {
      channel.backend.force();
      channel.forced();
    } catch (SyncFailedException refused) {
      return;
    }
    long oldest = topic.journal.firstOrdinal();
    long first = oldest + random.nextLong(topic.journal.nextOrdinal() - oldest + 1);
    Set<Long> after = new TreeSet<>();
    for (Published published : topic.published.values()) {
      for (long ordinal = published.first; ordinal < published.end(); ordinal++) {
        if (ordinal >= first) {
          after.add(ordinal);
        }
      }
    }
    List<HeldMessage> staying = new ArrayList<>();
    for (Taken taken : channel.taken) {
      if (taken.dead() && taken.ref().ordinal() < first) {
        staying.add(taken.held());
        after.add(taken.ref().ordinal());
      }
    }
    channel.rewind =
        new PowerCutModel.Rewind(
            new TreeSet<>(channel.unfinished), new TreeSet<>(channel.may), after);
    channel.may.addAll(after);
    channel.unfinished.retainAll(after);
    channel.dead.removeIf(ordinal -> ordinal >= first);
    var held = channel.backend.rewind(first, topic.journal.relocationsFrom(first), staying);
    channel.backend.force();
    channel.rewind = null;
    channel.unfinished.addAll(after);
    channel.may.retainAll(after);
    channel.memory.clear();
    channel.taken.clear();
    held.forEach(message -> channel.taken.add(Taken.of(message)));
    channel.forced();
    channel.backend.removeOldFiles();
  }

  void checkpoint(ChannelModel channel) throws IOException {
    channel.backend.checkpoint(held(channel));
    try {
      channel.backend.removeOldFiles();
      channel.forced();
    } catch (SyncFailedException refused) {
      return;
    }
  }

  void removeFiles(TopicModel topic) throws IOException {
    long needed = topic.heldFrom < 0 ? topic.journal.nextOrdinal() : topic.heldFrom;
    int pinnedFile = Integer.MAX_VALUE;
    for (ChannelModel channel : topic.channels.values()) {
      needed = Math.min(needed, channel.backend.neededFrom());
      pinnedFile = Math.min(pinnedFile, channel.backend.pinnedFile());
    }
    if (!topic.journal.hasFilesBelow(needed, pinnedFile)) {
      return;
    }
    try {
      for (ChannelModel channel : topic.channels.values()) {
        channel.backend.force();
        channel.forced();
      }
      topic.journal.removeBelow(needed, pinnedFile, Retention.NONE);
    } catch (SyncFailedException refused) {
      return;
    }
  }

  void empty(ChannelModel channel) throws IOException {
    channel.memory.clear();
    channel.taken.clear();
    List<Long> dropped = List.copyOf(channel.unfinished);
    channel.unfinished.clear();
    channel.backend.empty();
    channel.finishing.addAll(dropped);
  }
}
