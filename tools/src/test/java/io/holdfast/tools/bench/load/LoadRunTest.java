package io.holdfast.tools.bench.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.StopSignal;
import io.holdfast.tools.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LoadRunTest {
  private final StopSignal stop = new StopSignal();
  private FakeBroker broker;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
  }

  @AfterEach
  void close() throws IOException {
    broker.close();
  }

  private LoadPlan plan() {
    return new LoadPlan(BrokerAddress.parse(broker.tcp().toString(), 4150), "t");
  }

  private LoadResult run(LoadPlan plan) throws IOException {
    return new LoadRun(plan, LoadProbe.NONE, stop).run();
  }

  @Test
  void shouldPublishWholeBatchesUpToTheCount() throws IOException {
    LoadResult result = run(plan().publish(2, 30, 7, 3).count(100));
    assertEquals(105, result.published());
    assertEquals(105, broker.published("t").size());
    assertEquals(15, result.toOkNs().getTotalCount());
    assertEquals(30, broker.publishedBytes("t").get(0));
    assertTrue(result.publishRate() > 0);
  }

  @Test
  void shouldTakeTopicsInTurn() throws IOException {
    run(plan().topics(4).publish(1, 20, 1, 5).count(40));
    for (int i = 0; i < 4; i++) {
      assertEquals(10, broker.published("t_000" + i).size());
    }
  }

  @Test
  void shouldConsumeInEveryChannelWhatItPublishes() throws IOException {
    LoadResult result =
        run(plan().channels(2).publish(2, 100, 5, 1).consume(4, 50).count(500).window(50));
    assertEquals(500, result.published());
    assertEquals(1000, result.consumed());
    assertEquals(1000, result.endToEndNs().getTotalCount());
    assertEquals(1000, broker.finished());
    assertEquals(0, result.refusedFins());
    assertTrue(result.consumed99() >= 990);
  }

  @Test
  void shouldReadFramesLargerThanOneRead() throws IOException {
    LoadResult result = run(plan().publish(1, 200_000, 1, 2).consume(1, 10).count(20));
    assertEquals(20, result.consumed());
    assertEquals(20, result.endToEndNs().getTotalCount());
  }

  @Test
  void shouldDrainABacklog() throws IOException {
    run(plan().publish(1, 50, 10, 1).count(300));
    LoadResult result = run(plan().consume(2, 100).drain(300));
    assertEquals(300, result.consumed());
    assertEquals(0, result.endToEndNs().getTotalCount());
  }

  @Test
  void shouldCountFromTheTimeAMessageWasDue() throws IOException {
    LoadResult result =
        run(plan().publish(2, 50, 1, 1).consume(1, 100).seconds(0.5).rate(1000, 0.1, 0.1));
    assertEquals(500, result.published());
    assertEquals(500, result.consumed());
    // Ramp and tail are left out.
    assertEquals(300, result.endToEndNs().getTotalCount(), 1);
    assertEquals(300, result.toOkNs().getTotalCount(), 1);
    assertTrue(result.publishSeconds() >= 0.498);
  }

  @Test
  void shouldSayWhatTheBrokerRefuses() {
    broker.publishError = "E_BAD_TOPIC no";
    IOException e =
        assertThrows(IOException.class, () -> run(plan().publish(1, 50, 1, 1).count(1)));
    assertTrue(e.getMessage().endsWith("E_BAD_TOPIC no"), e.getMessage());
  }

  @Test
  void shouldEndWhenAsked() {
    stop.stop();
    LoadPlan plan = plan().publish(1, 50, 1, 1).seconds(60);
    assertEquals("stopped", assertThrows(ToolException.class, () -> run(plan)).getMessage());
  }
}
