package io.holdfast.tools.pub;

import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.CommandBuffer;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.NsqErrorException;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes batches to several brokers in turn, at least once: what was not answered with OK is
 * sent again, to the next broker, on a new connection. One thread.
 */
final class Publisher implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(Publisher.class);
  private static final long MAX_BACKOFF_MS = 2_000;

  private final String topic;
  private final ConnectOptions options;
  private final Duration retryFor;
  private final StopSignal stop;
  private final List<Target> targets = new ArrayList<>();
  private final CommandBuffer commands = new CommandBuffer(64 << 10);

  private int next;
  private long messages;
  private long bytes;
  private long retries;

  /** A broker and the connection to it, if there is one. */
  private static final class Target {
    final BrokerAddress address;
    NsqConnection connection;
    int failures;
    long downUntilNs = System.nanoTime();

    Target(BrokerAddress address) {
      this.address = address;
    }
  }

  /**
   * @param topic valid topic name
   * @param brokers where to publish, at least one
   * @param options for each connection
   * @param retryFor how long one batch is tried again before publishing fails
   * @param stop ends the retries
   */
  Publisher(
      String topic,
      Collection<BrokerAddress> brokers,
      ConnectOptions options,
      Duration retryFor,
      StopSignal stop) {
    this.topic = topic;
    this.options = options;
    this.retryFor = retryFor;
    this.stop = stop;
    brokers.forEach(address -> targets.add(new Target(address)));
  }

  /**
   * @return messages answered with OK
   */
  long messages() {
    return messages;
  }

  /**
   * @return body bytes of these
   */
  long bytes() {
    return bytes;
  }

  /**
   * @return how often a batch had to be sent, or a connection tried, again
   */
  long retries() {
    return retries;
  }

  /**
   * Connects to at least one broker, so that a wrong address fails at once.
   *
   * @throws ToolException when no broker can be reached
   */
  void connect() {
    List<String> failures = new ArrayList<>();
    for (Target target : targets) {
      try {
        target.connection = NsqConnection.open(target.address, options);
      } catch (IOException e) {
        failures.add(target.address + ": " + ToolException.describe(e));
      }
    }
    if (failures.size() == targets.size()) {
      throw new ToolException("no broker to publish to: " + String.join("; ", failures));
    }
    failures.forEach(failure -> log.warn("{}; the other brokers get its share", failure));
  }

  /**
   * Publishes all of these and waits for the OKs.
   *
   * @param batch at least one message
   * @throws ToolException when the broker refuses them for good, when retrying took too long, or
   *     when stopped before all were taken
   */
  void publish(List<InputMessage> batch) {
    int done = 0;
    long giveUpNs = 0;
    boolean failed = false;
    while (done < batch.size()) {
      Target target = nextUp();
      try {
        done = publishTo(target, batch, done);
        target.failures = 0;
      } catch (Interrupted e) {
        done = e.done;
        onFailure(target, e.failure);
        long nowNs = System.nanoTime();
        giveUpNs = failed ? giveUpNs : nowNs + retryFor.toNanos();
        failed = true;
        if (stop.stopped() || nowNs - giveUpNs >= 0) {
          throw new ToolException(
              Quantities.count(batch.size() - done, "message")
                  + " not published: "
                  + target.address
                  + ": "
                  + ToolException.describe(e.failure),
              e.failure);
        }
        retries++;
      }
    }
  }

  private void onFailure(Target target, IOException failure) {
    drop(target);
    if (failure instanceof NsqErrorException error && !error.retryable()) {
      throw new ToolException("the broker refuses: " + error.getMessage(), error);
    }
    target.failures++;
    long backoffMs = Math.min(MAX_BACKOFF_MS, 20L << Math.min(target.failures, 10));
    target.downUntilNs = System.nanoTime() + backoffMs * 1_000_000;
    if (target.failures == 1) {
      log.warn("{}: {}; sending again", target.address, ToolException.describe(failure));
    }
  }

  /** The next broker in turn that is not waiting after a failure; waits when all are. */
  private Target nextUp() {
    while (true) {
      long nowNs = System.nanoTime();
      long soonestNs = Long.MAX_VALUE;
      for (int i = 0; i < targets.size(); i++) {
        Target target = targets.get(next);
        next = (next + 1) % targets.size();
        if (target.downUntilNs - nowNs <= 0) {
          return target;
        }
        soonestNs = Math.min(soonestNs, target.downUntilNs - nowNs);
      }
      if (stop.await(1 + soonestNs / 1_000_000)) {
        return targets.get(next); // One last try.
      }
    }
  }

  /** A failure and how far publishing had come. */
  private static final class Interrupted extends Exception {
    private static final long serialVersionUID = 1;
    final int done;
    final IOException failure;

    Interrupted(int done, IOException failure) {
      super(failure);
      this.done = done;
      this.failure = failure;
    }
  }

  private int publishTo(Target target, List<InputMessage> batch, int from) throws Interrupted {
    int done = from;
    try {
      if (target.connection == null) {
        target.connection = NsqConnection.open(target.address, options);
      }
      while (done < batch.size()) {
        int end = done + 1;
        boolean deferred = batch.get(done).deferMs() > 0;
        while (end < batch.size() && batch.get(end).deferMs() > 0 == deferred) {
          end++;
        }
        if (deferred) {
          done = sendDeferred(target.connection, batch, done, end);
        } else {
          send(target.connection, batch, done, end);
          done = end;
        }
      }
      return done;
    } catch (PartlyDeferred e) {
      throw new Interrupted(e.done, e.failure);
    } catch (IOException e) {
      throw new Interrupted(done, e);
    }
  }

  /** MPUB is all or nothing, so one OK speaks for the run. */
  private void send(NsqConnection connection, List<InputMessage> batch, int from, int to)
      throws IOException {
    commands.clear();
    if (to - from == 1) {
      byte[] body = batch.get(from).body();
      commands.lineWithBody("PUB " + topic, body, 0, body.length);
    } else {
      commands.beginMpub(topic);
      for (int i = from; i < to; i++) {
        byte[] body = batch.get(i).body();
        commands.mpubMessage(body, 0, body.length);
      }
      commands.endMpub();
    }
    connection.send(commands);
    connection.readOk();
    for (int i = from; i < to; i++) {
      count(batch.get(i));
    }
  }

  private static final class PartlyDeferred extends IOException {
    private static final long serialVersionUID = 1;
    final int done;
    final IOException failure;

    PartlyDeferred(int done, IOException failure) {
      super(failure);
      this.done = done;
      this.failure = failure;
    }
  }

  /** There is no deferred MPUB: one DPUB each, sent together, answered one by one. */
  private int sendDeferred(NsqConnection connection, List<InputMessage> batch, int from, int to)
      throws IOException {
    commands.clear();
    for (int i = from; i < to; i++) {
      InputMessage message = batch.get(i);
      commands.lineWithBody(
          "DPUB " + topic + " " + message.deferMs(), message.body(), 0, message.body().length);
    }
    connection.send(commands);
    for (int i = from; i < to; i++) {
      try {
        connection.readOk();
      } catch (IOException e) {
        throw new PartlyDeferred(i, e);
      }
      count(batch.get(i));
    }
    return to;
  }

  private void count(InputMessage message) {
    messages++;
    bytes += message.body().length;
  }

  private static void drop(Target target) {
    NsqConnection connection = target.connection;
    target.connection = null;
    if (connection != null) {
      try {
        connection.close();
      } catch (IOException e) {
        log.debug("closing the connection to {}", target.address, e);
      }
    }
  }

  /** Closes all connections. */
  @Override
  public void close() {
    targets.forEach(Publisher::drop);
  }
}
