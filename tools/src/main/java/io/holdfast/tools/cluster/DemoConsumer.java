package io.holdfast.tools.cluster;

import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.FrameType;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.NsqErrorException;
import io.holdfast.tools.client.Wire;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/** Takes what there is of a topic until all that is expected has come. Of one thread. */
final class DemoConsumer {
  private static final int SILENCE_MS = 3000;
  private static final int READY = 50;

  private final StopSignal stop;
  private final String topic;
  private final Set<String> missing;
  private final Set<String> come = new HashSet<>();
  private long duplicates;

  /**
   * @param topic also the channel's name
   * @param expected bodies
   */
  DemoConsumer(StopSignal stop, String topic, Set<String> expected) {
    this.stop = stop;
    this.topic = topic;
    missing = new HashSet<>(expected);
  }

  /** Deliveries of what had come before. */
  long duplicates() {
    return duplicates;
  }

  /**
   * Consumes at a broker until all has come, nothing comes for a while, or the broker goes.
   *
   * @return whether all has come by now
   */
  boolean hasAll(BrokerAddress address) {
    ConnectOptions options =
        ConnectOptions.defaults("cluster-demo", Wire.PLAIN).withReadTimeoutMs(SILENCE_MS);
    try (NsqConnection connection = NsqConnection.open(address, options)) {
      connection.subscribe(topic, topic);
      connection.ready(READY);
      connection.flush();
      while (!missing.isEmpty() && !stop.stopped()) {
        FrameType type = connection.readFrame();
        if (type == FrameType.ERROR) {
          throw new NsqErrorException(connection.text());
        }
        if (type == FrameType.MESSAGE) {
          take(connection);
        }
      }
      connection.flush();
    } catch (IOException e) {
      return missing.isEmpty(); // Another one leads, perhaps: asked again.
    }
    return missing.isEmpty();
  }

  private void take(NsqConnection connection) throws IOException {
    String body =
        new String(
            connection.buffer(),
            connection.bodyOffset(),
            connection.bodyLength(),
            StandardCharsets.UTF_8);
    if (!come.add(body)) {
      duplicates++;
    }
    missing.remove(body);
    connection.finish();
    connection.flush();
  }
}
