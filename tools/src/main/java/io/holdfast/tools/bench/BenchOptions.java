package io.holdfast.tools.bench;

import io.holdfast.tools.bench.load.LoadPlan;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.BrokerOptions;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.Names;
import io.holdfast.tools.client.WireOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that all bench modes share, with what they mean when left out. */
final class BenchOptions {
  private static final int MAX_COMMAND_BYTES = 256 << 20;

  @Mixin private BrokerOptions brokers;

  @Mixin private WireOptions wire;

  @Option(
      names = {"-t", "--topic"},
      defaultValue = "bench",
      paramLabel = "TOPIC",
      description = "Topic (default: bench). With --topics N: TOPIC-0 to TOPIC-(N-1).")
  private String topic;

  @Option(
      names = {"-c", "--channel"},
      defaultValue = "bench",
      paramLabel = "CHANNEL",
      description = "Channel (default: bench); with several: CHANNEL-0 and on.")
  private String channel;

  @Option(
      names = "--topics",
      defaultValue = "1",
      paramLabel = "N",
      description = "Number of topics; publishers take them in turn (default: 1).")
  private int topics;

  @Option(
      names = "--size",
      defaultValue = "200",
      paramLabel = "SIZE",
      converter = Quantities.Bytes.class,
      description = "Bytes of a message body (default: 200).")
  private long size;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Messages per MPUB; 1 sends PUB (default: 200; latency: 1).")
  private Integer batch;

  @Option(
      names = "--pipeline",
      defaultValue = "1",
      paramLabel = "N",
      description = "Commands each publisher has outstanding (default: 1).")
  private int pipeline;

  @Option(
      names = "--conns",
      defaultValue = "2",
      paramLabel = "N",
      description = "Publishing connections, spread over the brokers (default: 2).")
  private int conns;

  @Option(
      names = "--sub-conns",
      paramLabel = "N",
      description =
          "Consuming connections for each topic and channel, at least one per broker "
              + "(default: 2; fanout and latency: 1).")
  private Integer subConns;

  @Option(
      names = "--rdy",
      defaultValue = "2500",
      paramLabel = "N",
      description = "RDY of each consuming connection (default: 2500, or what the broker allows).")
  private int rdy;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      description = "How long to measure (default: 10, unless --count is given).")
  private Double seconds;

  @Option(
      names = "--count",
      paramLabel = "N",
      converter = Quantities.AtLeastOne.class,
      description = "Measure N messages instead, such as 2m.")
  private long count;

  @Option(
      names = "--warmup",
      paramLabel = "S",
      description = "Seconds of load before the measurement (default: 1; with --count: 0).")
  private Double warmup;

  @Option(
      names = "--output-buffer-timeout",
      defaultValue = "0",
      paramLabel = "MS",
      description =
          "How long the broker may hold messages back to fill its buffer; -1 = not at all "
              + "(default: the broker's, 250 ms in nsqd).")
  private int outputBufferTimeoutMs;

  @Option(
      names = "--idle",
      defaultValue = "5",
      paramLabel = "S",
      description = "Consumers end after so many seconds without a message (default: 5).")
  private double idle;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "text",
      paramLabel = "FORMAT",
      description = "text (default), or json: one object with everything.")
  private Format format;

  @Option(
      names = "--hdr-file",
      paramLabel = "FILE",
      description =
          "Write the latency histograms: FILE.hlog gets HdrHistogram's log format (all of them, "
              + "tagged), any other name the percentile distribution in us (the last one shown).")
  private Path hdrFile;

  /** How the report is printed. */
  enum Format {
    TEXT,
    JSON;

    @Override
    public String toString() {
      return Given.lower(this);
    }
  }

  // What the mode prefers; set before check().
  private int defaultBatch = 200;
  private int defaultSubConns = 2;

  void prefer(int batchOfMode, int subConnsOfMode) {
    defaultBatch = batchOfMode;
    defaultSubConns = subConnsOfMode;
  }

  /**
   * @throws ToolException about usage, naming the first option that makes no sense
   */
  void check() {
    Names.checkTopic(topics <= 1 ? topic : topic + "-" + (topics - 1));
    Names.checkChannel(channel);
    atLeastOne("--topics", topics);
    atLeastOne("--size", size);
    atLeastOne("--batch", batch());
    atLeastOne("--pipeline", pipeline);
    atLeastOne("--conns", conns);
    atLeastOne("--sub-conns", subConns());
    atLeastOne("--rdy", rdy);
    if (seconds() <= 0 || warmup() < 0 || idle <= 0) {
      throw ToolException.usage("--seconds and --idle must be above 0, --warmup not below");
    }
    if ((size + 4) * batch() > MAX_COMMAND_BYTES) {
      throw ToolException.usage("--size times --batch is more than 256 MB");
    }
    if (hdrFile != null && !hdrFile.toAbsolutePath().getParent().toFile().isDirectory()) {
      throw ToolException.usage(hdrFile + ": no such directory");
    }
    if (hdrFile != null
        && Files.exists(hdrFile)
        && !Files.isRegularFile(hdrFile)
        && !hdrFile.startsWith("/dev")) {
      throw ToolException.usage(hdrFile + " is not a regular file");
    }
  }

  static void atLeastOne(String option, double value) {
    if (value < 1) {
      throw ToolException.usage(option + " must be at least 1");
    }
  }

  /**
   * Where to measure.
   *
   * @return TCP addresses, at least one
   * @throws ToolException when there is none
   */
  List<BrokerAddress> addresses() throws IOException {
    List<BrokerAddress> found = List.copyOf(brokers.accepting(topics <= 1 ? topic : topic + "-0"));
    if (found.isEmpty()) {
      throw new ToolException("nsqlookupd knows no broker");
    }
    return found;
  }

  /** What a mode with these options does against these brokers. */
  LoadPlan plan(BenchShape shape, List<BrokerAddress> at) {
    LoadPlan plan =
        new LoadPlan(at, topic)
            .connect(
                ConnectOptions.defaults("bench", wire.wire())
                    .withReadTimeoutMs(0)
                    .withOutputBufferTimeoutMs(outputBufferTimeoutMs))
            .topics(topics)
            .channels(channel, shape.channels())
            .seconds(timed() ? seconds() : 0)
            .warmup(warmup())
            .count(count)
            .idle(idle)
            .window(shape.window())
            .rate(shape.rate(), 0);
    if (shape.publish()) {
      plan.publish(conns, size(), batch(), pipeline);
    }
    if (shape.consume()) {
      plan.consume(consumers(shape, at), rdy);
    }
    return plan;
  }

  /** Consuming connections all together. */
  int consumers(BenchShape shape, List<BrokerAddress> at) {
    return shape.consume() ? topics * shape.channels() * Math.max(subConns(), at.size()) : 0;
  }

  int topics() {
    return topics;
  }

  int size() {
    return (int) size;
  }

  int batch() {
    return batch == null ? defaultBatch : batch;
  }

  int conns() {
    return conns;
  }

  private int subConns() {
    return subConns == null ? defaultSubConns : subConns;
  }

  /** Length of the measurement, s; huge when it goes by count. */
  double seconds() {
    return seconds != null ? seconds : count > 0 ? Integer.MAX_VALUE : 10;
  }

  boolean timed() {
    return seconds != null || count == 0;
  }

  long count() {
    return count;
  }

  double warmup() {
    return warmup != null ? warmup : count > 0 ? 0 : 1;
  }

  Format format() {
    return format;
  }

  Path hdrFile() {
    return hdrFile;
  }
}
