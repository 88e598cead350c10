package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.wire.ClientSettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When messages wait for company, for how long, and that none waits for longer. */
class DeliveryPacingTest {
  private static final long BUFFER_BYTES = 16384;
  private static final long BUFFER_MS = 250;

  private static ClientSettings settings(long bufferSize, long bufferTimeoutMs) {
    return new ClientSettings("c", "h", "", "", "", 30_000, bufferSize, bufferTimeoutMs, 0, 60_000);
  }

  /** The rate of all deliveries of few messages. */
  @Nested
  class Rate {
    private static final long MS = 1_000_000;
    private static final long WINDOW_MS = 20;

    /** What one event loop delivers in a window without being busy. */
    private static final int LIMIT = 250;

    private final ChannelSettings.Clock clock =
        new ChannelSettings.Clock() {
          @Override
          public long nanos() {
            return nowNs;
          }

          @Override
          public long wallMs() {
            throw new UnsupportedOperationException("it may be set back");
          }
        };

    // As System.nanoTime may be.
    private long nowNs = -7 * MS;
    private DeliveryPacing pacing = new DeliveryPacing(clock, 1);

    private void deliver(int messages, int each) {
      for (int left = messages; left > 0; left -= each) {
        pacing.delivered(Math.min(left, each), nowNs);
      }
    }

    /** A window with so many messages, the last of which ends it. */
    private void window(int messages, long ms) {
      deliver(messages - 1, 1);
      nowNs += ms * MS;
      deliver(1, 1);
    }

    private void window(int messages) {
      window(messages, WINDOW_MS);
    }

    @Test
    void shouldBeBusyOnlyAboveThreshold() {
      assertFalse(pacing.isBusy());
      window(LIMIT);
      assertFalse(pacing.isBusy());
      window(LIMIT + 1);
      assertTrue(pacing.isBusy());
    }

    @ParameterizedTest
    @CsvSource({"2, 500", "8, 2000"})
    void shouldAllowEachEventLoopItsShare(int eventLoops, int limit) {
      pacing = new DeliveryPacing(clock, eventLoops);
      window(limit);
      assertFalse(pacing.isBusy());
      window(limit + 1);
      assertTrue(pacing.isBusy());
    }

    @Test
    void shouldNotDecideBeforeWindowEnds() {
      deliver(10 * LIMIT, 1);
      nowNs += WINDOW_MS * MS - 1;
      deliver(1, 1);
      assertFalse(pacing.isBusy());
      nowNs++;
      deliver(1, 1);
      assertTrue(pacing.isBusy());
    }

    @Test
    void shouldMeasureByTimeThatPassed() {
      window(LIMIT + 1, WINDOW_MS + 1);
      assertFalse(pacing.isBusy());
      window(2 * LIMIT, 2 * WINDOW_MS);
      assertFalse(pacing.isBusy());
      window(2 * LIMIT + 2, 2 * WINDOW_MS);
      assertTrue(pacing.isBusy());
    }

    @Test
    void shouldStayBusyAboveHalfOfThreshold() {
      window(LIMIT + 1);
      for (int i = 0; i < 3; i++) {
        window(LIMIT / 2 + 1);
        assertTrue(pacing.isBusy());
      }
      window(LIMIT / 2);
      assertFalse(pacing.isBusy());
      // Then half of it is not enough again.
      window(LIMIT);
      assertFalse(pacing.isBusy());
    }

    @Test
    void shouldNotBeBusyAfterSilence() {
      window(LIMIT + 1);
      nowNs += 2 * WINDOW_MS * MS - 1;
      assertTrue(pacing.isBusy());
      nowNs++;
      assertFalse(pacing.isBusy());
      // Nor does the first delivery after it bring the old rate back.
      nowNs += 1000 * MS;
      deliver(1, 1);
      assertFalse(pacing.isBusy());
    }

    @Test
    void shouldCountMessagesNotSends() {
      deliver(LIMIT, 25);
      nowNs += WINDOW_MS * MS;
      deliver(1, 1);
      assertTrue(pacing.isBusy());
    }

    @Test
    void shouldNotCountSendsOfManyMessages() {
      deliver(100 * 32, 32);
      nowNs += WINDOW_MS * MS;
      deliver(1, 1);
      assertFalse(pacing.isBusy());
      deliver(9 * 31, 31);
      nowNs += WINDOW_MS * MS;
      // Of many: that does not end the window either.
      deliver(256, 256);
      assertFalse(pacing.isBusy());
      deliver(1, 1);
      assertTrue(pacing.isBusy());
    }

    @Test
    void shouldNeverBeBusyWithoutEventLoops() {
      pacing = new DeliveryPacing(clock, 0);
      window(1_000_000);
      window(1_000_000);
      assertFalse(pacing.isBusy());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "250, 32, 5",
    "250, 2500, 5",
    "6, 32, 5",
    "4, 32, 4",
    "1, 32, 1",
    "0, 32, 0",
    // It would wait for more than it takes.
    "250, 31, 0",
    "250, 1, 0",
    "250, 0, 0"
  })
  void shouldHoldAsLongAsClientAllows(long maxHoldMs, long readyCount, long expectedMs) {
    FakeConsumer client = new FakeConsumer().ready(readyCount);
    client.maxHoldNs = TimeUnit.MILLISECONDS.toNanos(maxHoldMs);
    assertEquals(TimeUnit.MILLISECONDS.toNanos(expectedMs), DeliveryPacing.holdNs(client));
  }

  /** A channel in a broker that other topics keep busy. */
  @Nested
  class OfChannel {
    private static final int WINDOW_MS = 20;

    @TempDir Path dir;

    private SimulatedBroker broker;
    private Topic topic;
    private Channel channel;

    @BeforeEach
    void start() throws Exception {
      SimulationSettings simulation = new SimulationSettings(10, 1 << 20, 100, 1 << 16, false);
      broker = new SimulatedBroker(dir, simulation, new Random(1));
      broker.createTopic("t");
      topic = broker.topic("t");
      channel = topic.channel("c");
      broker.busy = true;
      broker.advance(WINDOW_MS);
      broker.advance(WINDOW_MS);
      assertTrue(broker.channelSettings().pacing().isBusy());
    }

    @AfterEach
    void stop() throws Exception {
      broker.close();
      broker.bury();
    }

    /** A consumer that waits for messages. */
    private SimulatedClient connect(long readyCount, long bufferSize, long bufferTimeoutMs)
        throws Exception {
      SimulatedClient client = new SimulatedClient("c", 60_000, 0);
      client.client.setSettings(settings(bufferSize, bufferTimeoutMs));
      channel.addClient(client.client);
      client.client.subscribed(channel);
      client.client.setReadyCount(readyCount);
      client.readComplete();
      return client;
    }

    private SimulatedClient connect() throws Exception {
      return connect(100, BUFFER_BYTES, BUFFER_MS);
    }

    private void publish(int messages) throws Exception {
      ByteBuf section = Unpooled.buffer();
      for (int i = 0; i < messages; i++) {
        section.writeInt(1).writeByte('x');
      }
      assertTrue(topic.putMessages(section.nioBuffer(), messages, 0, 0, null));
      section.release();
    }

    /** How many messages it is sent when its event loop runs after some time. */
    private static int sentAfter(long ms, SimulatedClient client) {
      client.pass(ms);
      client.runTasks();
      return client.sent().size();
    }

    @Test
    void shouldHoldMessageForFiveMs() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      assertEquals(0, sentAfter(0, client));
      assertEquals(0, sentAfter(4, client));
      assertEquals(1, sentAfter(1, client));
    }

    @Test
    void shouldHoldNoLongerThanOutputBufferTimeout() throws Exception {
      SimulatedClient client = connect(100, BUFFER_BYTES, 2);
      publish(1);
      assertEquals(0, sentAfter(1, client));
      assertEquals(1, sentAfter(1, client));
    }

    @Test
    void shouldSendTogetherWhatCameInOneHold() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      assertEquals(0, sentAfter(3, client));
      publish(2);
      assertEquals(3, sentAfter(2, client));
      // The next one begins a hold of its own.
      publish(1);
      assertEquals(0, sentAfter(4, client));
      assertEquals(1, sentAfter(1, client));
    }

    @Test
    void shouldDeliverAtOnceWhenThereAreEnough() throws Exception {
      SimulatedClient client = connect();
      publish(31);
      assertEquals(0, sentAfter(0, client));
      publish(1);
      assertEquals(32, sentAfter(0, client));
      // What is left of the hold finds nothing, and does no harm.
      assertEquals(0, sentAfter(5, client));
      publish(32);
      assertEquals(32, sentAfter(0, client));
    }

    @Test
    void shouldDeliverAtOnceWhenBrokerIsNotBusyAnyMore() throws Exception {
      SimulatedClient client = connect();
      broker.busy = false;
      broker.advance(2 * WINDOW_MS);
      publish(1);
      assertEquals(1, sentAfter(0, client));
    }

    @Test
    void shouldNotKeepOnHoldingWhenBrokerIsNotBusyAnyMore() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      broker.busy = false;
      broker.advance(2 * WINDOW_MS);
      publish(1);
      assertEquals(2, sentAfter(0, client));
    }

    @ParameterizedTest
    @CsvSource({"100, 1, 250", "100, 16384, 0", "31, 16384, 250", "1, 16384, 250"})
    void shouldDeliverAtOnceToClientThatDoesNotWait(
        long readyCount, long bufferSize, long bufferTimeoutMs) throws Exception {
      SimulatedClient client = connect(readyCount, bufferSize, bufferTimeoutMs);
      publish(1);
      assertEquals(1, sentAfter(0, client));
    }

    @Test
    void shouldHoldAlsoWhileClientAnswers() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      publish(1);
      client.pass(5);
      client.runTasks();
      long[] ids = {client.sent().get(0).id()};
      publish(1);
      channel.finishMessages(client.client, ids, 1, new Outcome[1]);
      // Its FIN would have fetched the message before it has company.
      client.readComplete();
      assertEquals(0, sentAfter(4, client));
      assertEquals(1, sentAfter(1, client));
    }

    @Test
    void shouldDeliverAtOnceToNewcomer() throws Exception {
      final SimulatedClient client = connect();
      publish(1);
      SimulatedClient newcomer = connect();
      assertEquals(1, newcomer.sent().size());
      assertEquals(0, sentAfter(5, client));
    }

    @Test
    void shouldDeliverAtOnceWhereSeveralWait() throws Exception {
      SimulatedClient first = connect();
      SimulatedClient second = connect();
      publish(1);
      assertEquals(1, sentAfter(0, first));
      publish(1);
      assertEquals(1, sentAfter(0, second));
    }

    @Test
    void shouldNotHoldForUnbufferedClientBehindAnothersHold() throws Exception {
      final SimulatedClient first = connect();
      publish(1);
      first.leave(channel);
      SimulatedClient second = connect(100, 1, BUFFER_MS);
      assertEquals(1, second.sent().size());
      // The hold for the first is not over.
      publish(1);
      assertEquals(1, sentAfter(0, second));
    }

    @Test
    void shouldHoldSeldomWhereNothingElseComes() throws Exception {
      SimulatedClient client = connect();
      int held = 0;
      for (int i = 0; i < 100; i++) {
        publish(1);
        if (sentAfter(0, client) == 0) {
          held++;
          assertEquals(1, sentAfter(5, client));
        }
      }
      // One message is held, then 1, 2, 4, 8, 16 and 32 go at once.
      assertEquals(7, held);
    }

    @Test
    void shouldHoldAgainOnceItPays() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      assertEquals(1, sentAfter(5, client));
      publish(1);
      assertEquals(1, sentAfter(0, client));
      for (int i = 0; i < 10; i++) {
        publish(1);
        publish(1);
        assertEquals(0, sentAfter(4, client));
        assertEquals(2, sentAfter(1, client));
      }
    }

    @Test
    void shouldKeepMessageForLaterWhenAllLeaveDuringHold() throws Exception {
      final SimulatedClient first = connect();
      publish(1);
      first.leave(channel);
      assertEquals(0, sentAfter(5, first));
      SimulatedClient second = connect();
      assertEquals(1, second.sent().size());
    }

    @Test
    void shouldKeepHeldMessageWhileClientTakesNoMore() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      client.client.setReadyCount(0);
      client.readComplete();
      assertEquals(0, sentAfter(5, client));
      client.client.setReadyCount(100);
      client.readComplete();
      assertEquals(1, client.sent().size());
    }

    @Test
    void shouldHoldAlsoWhatTopicHadKeptBack() throws Exception {
      SimulatedClient client = connect();
      topic.pause();
      publish(1);
      topic.unpause();
      assertEquals(0, sentAfter(4, client));
      assertEquals(1, sentAfter(1, client));
    }

    @Test
    void shouldNotHoldWhatComesBack() throws Exception {
      SimulatedClient client = connect();
      publish(1);
      client.pass(5);
      client.runTasks();
      long id = client.sent().get(0).id();
      assertEquals(Outcome.OK, channel.requeueMessage(client.client, id, 0));
      assertEquals(1, sentAfter(0, client));
    }
  }
}
