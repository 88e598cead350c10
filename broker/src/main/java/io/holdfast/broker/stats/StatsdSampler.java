package io.holdfast.broker.stats;

import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import java.util.ArrayList;
import java.util.List;

/** Takes the figures that {@link StatsdPusher} reports from a broker. */
public final class StatsdSampler {
  private StatsdSampler() {}

  /** One look at everything. */
  public static StatsdSample sample(Broker broker) {
    List<StatsdSample.Topic> topics = new ArrayList<>();
    for (Topic topic : broker.topics()) {
      List<StatsdSample.Channel> channels = new ArrayList<>();
      for (Channel channel : topic.channels()) {
        channels.add(
            new StatsdSample.Channel(
                channel.name(),
                new StatsdSample.Counters(
                    channel.messageCount(),
                    channel.requeueCount(),
                    channel.timeoutCount(),
                    channel.unreadableCount(),
                    channel.droppedCount()),
                channel.depth(),
                channel.backendDepth(),
                channel.inFlightCount(),
                channel.deferredCount(),
                channel.clients().size(),
                channel.e2eProcessingLatency()));
      }
      topics.add(
          new StatsdSample.Topic(
              topic.name(),
              topic.messageCount(),
              topic.messageBytes(),
              topic.depth(),
              topic.backendDepth(),
              topic.e2eProcessingLatency(),
              channels));
    }
    MemoryStats memory = MemoryStats.now();
    return new StatsdSample(
        topics,
        new StatsdSample.Memory(
            memory.heapObjects(),
            memory.heapIdleBytes(),
            memory.heapInUseBytes(),
            memory.heapReleasedBytes(),
            memory.gcPauseUsec100(),
            memory.gcPauseUsec99(),
            memory.gcPauseUsec95(),
            memory.nextGcBytes(),
            memory.gcTotalRuns()));
  }
}
