package io.holdfast.tools.bench.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.cli.StopSignal;
import java.io.IOException;
import java.util.List;
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
    return new LoadPlan(List.of(broker.tcp()), "t");
  }

  private LoadResult run(LoadPlan plan) throws IOException {
    return new LoadRun(plan, LoadProbe.NONE, stop).run();
  }

  @Test
  void shouldPublishTheCountAndNoMore() throws IOException {
    LoadResult result = run(plan().publish(2, 30, 7, 3).count(100));
    assertEquals(100, result.published().messages());
    assertEquals(100, broker.published("t").size());
    assertEquals(15, result.published().latencyNs().getTotalCount());
    assertEquals(30, broker.publishedBytes("t").get(0));
    assertTrue(result.published().perSecond() > 0);
    assertNull(result.consumed());
  }

  @Test
  void shouldTakeTopicsInTurn() throws IOException {
    run(plan().topics(4).publish(1, 20, 1, 5).count(40));
    for (int i = 0; i < 4; i++) {
      assertEquals(10, broker.published("t-" + i).size());
    }
  }

  @Test
  void shouldConsumeInEveryChannelWhatItPublishes() throws IOException {
    LoadResult result =
        run(plan().channels("ch", 2).publish(2, 100, 5, 1).consume(4, 50).count(500).window(50));
    assertEquals(500, result.published().messages());
    assertEquals(1000, result.consumed().messages());
    assertEquals(1000, result.consumed().latencyNs().getTotalCount());
    assertEquals(1000, broker.finished());
    assertEquals(0, result.lost());
    assertEquals(0, result.foreign());
    assertEquals(0, result.refusedFins());
    assertEquals(List.of(), result.failures());
  }

  @Test
  void shouldReadFramesLargerThanOneRead() throws IOException {
    LoadResult result = run(plan().publish(1, 700_000, 1, 2).consume(1, 10).count(20));
    assertEquals(20, result.consumed().messages());
    assertEquals(20, result.consumed().latencyNs().getTotalCount());
  }

  @Test
  void shouldDrainABacklog() throws IOException {
    run(plan().publish(1, 50, 10, 1).count(300));
    LoadResult result = run(plan().consume(2, 100).count(300));
    assertEquals(300, result.consumed().messages());
    assertEquals(0, result.consumed().latencyNs().getTotalCount());
    assertNull(result.published());
  }

  @Test
  void shouldCountFromTheTimeAMessageWasDue() throws IOException {
    LoadResult result =
        run(plan().publish(2, 50, 1, 1).consume(1, 100).warmup(0.1).seconds(0.4).rate(1000, 0.1));
    // 500, unless this machine was busy with other things.
    int sent = broker.published("t").size();
    assertEquals(sent, broker.finished());
    assertEquals(sent - 100, result.published().messages(), 1);
    // Warm-up and tail are left out.
    assertEquals(Math.min(sent, 400) - 100, result.consumed().latencyNs().getTotalCount(), 1);
    assertEquals(Math.min(sent, 400) - 100, result.published().latencyNs().getTotalCount(), 1);
  }

  @Test
  void shouldSendTogetherWhatIsDueAlready() throws IOException {
    LoadResult result = run(plan().publish(3, 20, 1, 1).count(3000).rate(10_000_000, 0));
    assertEquals(3000, result.published().messages());
    assertEquals(3000, broker.published("t").size());
  }

  @Test
  void shouldMeasureNothingOfTheWarmUp() throws IOException {
    LoadResult result =
        run(plan().publish(1, 50, 5, 1).consume(1, 100).warmup(0.05).count(20).window(10));
    assertEquals(20, result.published().messages());
    assertEquals(20, result.consumed().latencyNs().getTotalCount());
    assertTrue(broker.finished() > 20);
    assertEquals(0, result.lost());
  }

  @Test
  void shouldSayWhatTheBrokerRefuses() throws IOException {
    broker.publishError = "E_BAD_TOPIC no";
    LoadResult result = run(plan().publish(1, 50, 1, 1).count(1));
    assertEquals(List.of(broker.tcp() + ": E_BAD_TOPIC no"), result.failures());
  }

  @Test
  void shouldEndWhenAsked() throws IOException {
    stop.stop();
    LoadResult result = run(plan().publish(1, 50, 1, 1).seconds(60));
    assertEquals(0, result.published().messages());
  }
}
