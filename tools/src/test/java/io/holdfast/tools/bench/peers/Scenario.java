package io.holdfast.tools.bench.peers;

import java.io.IOException;

/** A run: what is done with a server that has just been started, and what is read off. */
enum Scenario {
  /** As much as it takes; when that is at rest, all of it is consumed. */
  PUBLISH("publish, drain") {
    @Override
    void run(PeerRun run) throws IOException {
      PeerRun.Queue warm = run.queue("warm", false);
      run.load(publish(run.peer().batch(), run.options().warmup()), warm);
      run.load(Shape.drain(PAIR), warm);
      run.server().settle();

      PeerRun.Queue queue = run.queue("load", false);
      run.begin();
      Load.Result published = run.load(publish(run.peer().batch(), seconds(run)), queue);
      run.server().settle();
      run.cost(Metric.PUBLISH_CPU, published.confirmed());
      run.put(Metric.PUBLISH, published.confirmed() / published.publishSeconds());
      run.begin();
      Load.Result drained = run.load(Shape.drain(PAIR), queue);
      run.cost(Metric.DRAIN_CPU, published.confirmed());
      run.put(Metric.DRAIN, drained.drained() / drained.drainSeconds());
    }
  },

  /** The same without a command for several messages. */
  SINGLE("publish, a command each") {
    @Override
    void run(PeerRun run) throws IOException {
      PeerRun.Queue warm = run.queue("warm", false);
      run.load(publish(1, run.options().warmup()), warm);
      run.load(Shape.drain(PAIR), warm);
      run.server().settle();

      PeerRun.Queue queue = run.queue("load", false);
      run.begin();
      Load.Result published = run.load(publish(1, seconds(run)), queue);
      run.server().settle();
      run.cost(Metric.SINGLE_CPU, published.confirmed());
      run.put(Metric.SINGLE, published.confirmed() / published.publishSeconds());
      run.load(Shape.drain(PAIR), queue);
    }
  },

  /** Publishing and consuming, with a bound on what is in between. */
  BOTH("both at once") {
    @Override
    void run(PeerRun run) throws IOException {
      run.load(both(run, run.options().warmup()), run.queue("warm", false));
      run.server().settle();

      run.begin();
      Load.Result result = run.load(both(run, seconds(run)), run.queue("load", false));
      run.cost(Metric.BOTH_CPU, result.confirmed());
      run.put(Metric.BOTH, result.meanwhile() / result.meanwhileSeconds());
    }

    private Shape both(PeerRun run, double seconds) {
      return new Shape(
          PAIR, OUTSTANDING, run.peer().batch(), PAIR, seconds, Long.MAX_VALUE, WINDOW, 0);
    }
  },

  /** Each connection waits for its OK before it publishes again. */
  WAITING("50 waiting") {
    @Override
    void run(PeerRun run) throws IOException {
      run.load(waiting(run.options().warmup()), run.queue("warm", false));
      run.server().settle();

      PeerRun.Queue queue = run.queue("load", false);
      run.begin();
      Load.Result result = run.load(waiting(seconds(run)), queue);
      run.server().settle();
      run.cost(Metric.WAITING_CPU, result.confirmed());
      run.put(Metric.WAITING, result.confirmed() / result.publishSeconds());
      run.put(Metric.WAITING_P99, result.toOkNs().getValueAtPercentile(99) / 1e6);
      run.load(Shape.drain(PAIR), queue);
    }

    private Shape waiting(double seconds) {
      return Shape.publish(MANY, 1, 1, seconds, Long.MAX_VALUE);
    }
  },

  /** A fixed rate; each message counts from the time at which it was due. */
  OPEN_LOOP("5k/s open loop") {
    @Override
    void run(PeerRun run) throws IOException {
      run.load(paced(Math.max(0, run.options().warmup() - Load.RAMP_S)), run.queue("warm", true));
      run.server().settle();

      PeerRun.Queue queue = run.queue("load", true);
      run.begin();
      Load.Result result = run.load(paced(seconds(run)), queue);
      run.cost(Metric.OPEN_CPU, result.confirmed());
      run.put(Metric.P50, result.toConsumerNs().getValueAtPercentile(50) / 1e6);
      run.put(Metric.P99, result.toConsumerNs().getValueAtPercentile(99) / 1e6);
    }

    private Shape paced(double seconds) {
      return new Shape(PAIR, 0, 1, 1, seconds, Long.MAX_VALUE, 0, RATE);
    }
  };

  private static final int PAIR = 2;
  private static final int MANY = 50;
  private static final int OUTSTANDING = 200;
  private static final long MOST = 3_000_000;
  private static final long WINDOW = 20_000;
  private static final double RATE = 5000;

  private final String label;

  Scenario(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  /** Warms up on a queue of its own, and measures. */
  abstract void run(PeerRun run) throws IOException;

  private static double seconds(PeerRun run) {
    return run.options().seconds();
  }

  private static Shape publish(int batch, double seconds) {
    return Shape.publish(PAIR, OUTSTANDING, batch, seconds, MOST);
  }
}
