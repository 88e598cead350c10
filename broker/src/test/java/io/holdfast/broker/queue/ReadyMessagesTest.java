package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where new messages go, and which one is next: memory, backend, deferred. */
class ReadyMessagesTest {
  private static final int MEM_QUEUE_SIZE = 3;
  private static final int MAX_DEFERRED = 4;
  private static final long EPOCH_MS = 1_700_000_000_000L;

  @TempDir Path dir;

  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final OrdinalRanges lost = new OrdinalRanges();
  private final ChannelSettings.Clock clock =
      new ChannelSettings.Clock() {
        @Override
        public long nanos() {
          return TimeUnit.MILLISECONDS.toNanos(nowMs);
        }

        @Override
        public long wallMs() {
          return EPOCH_MS + nowMs;
        }
      };

  private long nowMs = 1;
  private long demand;
  private ChronicleJournal journal;
  private BackendQueue backend;
  private ReadyMessages ready;

  /** What reading a body that is not in memory does instead, if anything. */
  private interface Reading {
    boolean read() throws IOException;
  }

  private Reading reading;

  @BeforeEach
  void open() throws Exception {
    journal =
        new ChronicleJournal(
            dir,
            new StorageOptions(
                1 << 16, 40_000, false, 0, () -> TimeUnit.MILLISECONDS.toNanos(clock.wallMs())),
            syncThread);
    backend = disturbed(ChannelBackends.ephemeral(journal, 0));
    ready =
        new ReadyMessages(
            QueueFixture.settings(clock, MEM_QUEUE_SIZE, MAX_DEFERRED), backend, null);
  }

  @AfterEach
  void close() {
    backend.close();
    journal.close();
    syncThread.close();
  }

  /** A backend whose reads by reference the test may replace. */
  private BackendQueue disturbed(BackendQueue real) {
    return (BackendQueue)
        Proxy.newProxyInstance(
            BackendQueue.class.getClassLoader(),
            new Class<?>[] {BackendQueue.class},
            (proxy, method, args) -> {
              if (reading != null && method.getName().equals("read")) {
                return reading.read();
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private void publish(long deferMs, String... bodies) throws IOException {
    ByteBuffer section = ByteBuffer.allocate(1 << 14);
    for (String body : bodies) {
      section.putInt(body.length()).put(body.getBytes(StandardCharsets.US_ASCII));
    }
    Batch batch = new Batch(section.flip(), bodies.length, deferMs);
    journal.append(batch);
    ready.put(batch);
  }

  private void publish(String... bodies) throws IOException {
    publish(0, bodies);
  }

  /** Takes the next message, null when there is none. */
  private Message next() throws IOException {
    return ready.poll(lost);
  }

  private String body(Message message) {
    return message.bytes == null
        ? StandardCharsets.US_ASCII.decode(ready.view().body()).toString()
        : new String(
            message.bytes, message.bodyStart, message.bodyLength(), StandardCharsets.US_ASCII);
  }

  private List<String> takeAll() throws IOException {
    List<String> bodies = new ArrayList<>();
    for (Message message = next(); message != null; message = next()) {
      bodies.add(body(message));
    }
    return bodies;
  }

  /** Takes the next message and sends it back, as after a REQ. */
  private void requeueNext() throws IOException {
    Message message = next();
    message.bytes = null;
    message.nextAttempt();
    ready.requeue(message);
  }

  private void expect(long depth, long inBackend, long deferred) {
    assertEquals(depth, ready.depth(), "depth");
    assertEquals(inBackend, backend.depth(), "in the backend");
    assertEquals(deferred, ready.deferredCount(), "deferred");
    assertEquals(depth == 0, ready.isEmpty());
  }

  // ---------------------------------------------------------------- in

  @Test
  void shouldLeaveToBackendWhatMemoryHasNoRoomFor() throws Exception {
    publish("a", "b");
    expect(2, 0, 0);
    publish("c", "d", "e");
    expect(5, 2, 0);
    assertEquals(List.of("a", "b", "c", "d", "e"), takeAll());
    expect(0, 0, 0);
  }

  @Test
  void shouldNotOvertakeBackend() throws Exception {
    publish("a", "b", "c", "d");
    assertEquals("a", body(next()));
    publish("e");
    expect(4, 2, 0);
    assertEquals(List.of("b", "c", "d", "e"), takeAll());
    // Caught up: through memory again.
    publish("f");
    expect(1, 0, 0);
  }

  @Test
  void shouldHoldDeferredOnesUntilTheyAreDue() throws Exception {
    publish(20, "a");
    publish(10, "b");
    expect(0, 0, 2);
    assertNull(next());
    assertTrue(ready.awaitsTime());
    assertEquals(
        clock.nanos() + TimeUnit.MILLISECONDS.toNanos(10), ready.firstDueNs(Long.MAX_VALUE));
    nowMs += 10;
    assertEquals(1, ready.releaseDue(clock.nanos()));
    expect(1, 0, 1);
    nowMs += 10;
    assertEquals(1, ready.releaseDue(clock.nanos()));
    assertEquals(List.of("b", "a"), takeAll());
    assertFalse(ready.awaitsTime());
  }

  @Test
  void shouldLeaveDeferredOnesBeyondBoundToBackend() throws Exception {
    publish(10, "a", "b", "c");
    publish(10, "d", "e");
    expect(2, 2, 3);
    nowMs += 10;
    ready.releaseDue(clock.nanos());
    assertEquals(List.of("a", "d", "b", "e", "c"), takeAll());
  }

  @Test
  void shouldFindOutWhichOfBackendAreDeferred() throws Exception {
    publish("a", "b", "c", "d");
    publish(10, "e");
    publish("f");
    // Its delay was kept in memory, beside the backend.
    expect(5, 2, 1);
    assertEquals(List.of("a", "b", "c", "d", "f"), takeAll());
    nowMs += 10;
    ready.releaseDue(clock.nanos());
    assertEquals(List.of("e"), takeAll());
  }

  @Test
  void shouldTakeUpWhatLedgerRemembers() throws Exception {
    publish("a", "b", "c");
    List<Message> all = List.of(next(), next(), next());
    all.get(1).nextAttempt();
    ready.restore(
        List.of(
            HeldMessage.after(ref(all.get(0)), 10, clock.wallMs()),
            new HeldMessage(ref(all.get(2)), 0),
            new HeldMessage(ref(all.get(1)), 0)),
        message -> false);
    expect(2, 0, 1);
    Message relocated = next();
    assertEquals("c", body(relocated), "never delivered: before what came back");
    Message cameBack = next();
    assertEquals("b", body(cameBack));
    assertEquals(1, cameBack.attempts());
    nowMs += 10;
    assertEquals(1, ready.releaseDue(clock.nanos()));
    assertEquals(List.of("a"), takeAll());
  }

  private static MessageRef ref(Message message) {
    return message.copy();
  }

  // ---------------------------------------------------------------- out

  @Test
  void shouldDeliverNewOnesBeforeOneThatCameBack() throws Exception {
    publish("a", "b", "c");
    requeueNext();
    assertEquals(List.of("b", "c", "a"), takeAll());
  }

  @Test
  void shouldAlternateBetweenWhatCameBackAndBackend() throws Exception {
    publish("a", "b", "c", "d", "e", "f");
    requeueNext();
    requeueNext();
    requeueNext();
    expect(6, 3, 0);
    List<String> bodies = takeAll();
    assertEquals(List.of("a", "d", "b", "e", "c", "f"), bodies);
  }

  @Test
  void shouldTellWhatCannotBeReadAndGoOn() throws Exception {
    publish("a", "b");
    requeueNext();
    assertEquals("b", body(next()));
    reading = () -> false;
    assertNull(next());
    assertEquals(1, lost.count());
    assertEquals(0, lost.from(0));
    expect(0, 0, 0);
  }

  @Test
  void shouldKeepMessageWhenReadingFails() throws Exception {
    publish("a");
    requeueNext();
    reading =
        () -> {
          throw new IOException("no");
        };
    assertThrows(IOException.class, this::next);
    expect(1, 0, 0);
    reading = null;
    assertEquals(List.of("a"), takeAll());
  }

  @Test
  void shouldBoundWhatMayBeDeferred() throws Exception {
    publish("a", "b", "c", "d", "e");
    for (int i = 0; i < MAX_DEFERRED; i++) {
      assertTrue(ready.mayDefer());
      Message message = next();
      message.bytes = null;
      ready.defer(message, 10);
    }
    assertFalse(ready.mayDefer());
    expect(1, 1, MAX_DEFERRED);
  }

  @Test
  void shouldDropWhatMemoryHas() throws Exception {
    publish("a", "b");
    publish(10, "c");
    requeueNext();
    ready.clear();
    expect(0, 0, 0);
    assertFalse(ready.awaitsTime());
    assertNull(next());
  }

  // ---------------------------------------------------------------- ephemeral

  @Test
  void shouldDropWhatPassesMemoryAndDemand() throws Exception {
    ready =
        new ReadyMessages(
            QueueFixture.settings(clock, MEM_QUEUE_SIZE, MAX_DEFERRED), backend, () -> demand);
    publish("a", "b", "c", "d", "e");
    assertEquals(2, ready.dropped());
    expect(3, 0, 0);
    demand = 2;
    publish("f", "g", "h");
    assertEquals(3, ready.dropped());
    assertEquals(List.of("a", "b", "c", "f", "g"), takeAll());
  }

  @Test
  void shouldKeepOnlyWhatIsWaitedForWhenSpaceIsShort() throws Exception {
    ready =
        new ReadyMessages(
            QueueFixture.settings(clock, MEM_QUEUE_SIZE, MAX_DEFERRED), backend, () -> demand);
    publish("a", "b", "c");
    requeueNext();
    demand = 1;
    ready.dropWaiting();
    assertEquals(2, ready.dropped());
    assertEquals(List.of("a"), takeAll(), "what came back stays");
  }

  // ---------------------------------------------------------------- looking

  @Test
  void shouldShowWhatIsNextWithoutChangingIt() throws Exception {
    publish("a", "b", "c", "d", "e");
    requeueNext();
    List<Long> shown = ready.firstReady(10).stream().map(Waiting::ordinal).toList();
    assertEquals(List.of(1L, 2L, 0L, 3L, 4L), shown);
    assertEquals(shown.subList(0, 2), ready.firstReady(2).stream().map(Waiting::ordinal).toList());
    assertEquals(List.of("b", "c", "a", "d", "e"), takeAll());
  }

  @Test
  void shouldShowWhatIsDueFirst() throws Exception {
    publish(20, "a");
    publish(10, "b");
    List<Waiting> first = ready.firstDeferred(1);
    assertEquals(List.of(1L), first.stream().map(Waiting::ordinal).toList());
    assertEquals(clock.wallMs() + 10, first.get(0).dueMs());
  }
}
