package io.holdfast.tools.pub;

import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.PastTime;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.BrokerOptions;
import io.holdfast.tools.client.HttpAccess;
import io.holdfast.tools.client.HttpJson;
import io.holdfast.tools.client.Names;
import io.holdfast.tools.client.UserOptions;
import io.holdfast.tools.client.Wire;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that have pub copy what a topic has, instead of reading a file. */
final class CopyOptions {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  @Option(
      names = "--from-topic",
      paramLabel = "TOPIC",
      description =
          "Publish what this topic has now, finished or not, and end; it stays as it is. It is read"
              + " over HTTP.")
  private String topic;

  @Option(
      names = {"--from-broker", "--nsqd-http-address"},
      paramLabel = "ADDRESS",
      converter = BrokerAddress.Http.class,
      description =
          "HTTP or TCP address (host:port) of the broker that has it (default: each one published"
              + " to, one port above TCP).")
  private BrokerAddress broker;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = PastTime.Converter.class,
      description = "Only messages from then on: 1h (ago), or an RFC 3339 time.")
  private PastTime since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      converter = PastTime.Converter.class,
      description = "Only messages before then.")
  private PastTime until;

  @Option(
      names = "--match",
      paramLabel = "REGEX",
      converter = Regex.class,
      description = "Only messages in whose body this is found.")
  private Pattern match;

  @Mixin private UserOptions users;

  /** Reads a regular expression. */
  static final class Regex implements ITypeConverter<Pattern> {
    @Override
    public Pattern convert(String value) {
      try {
        return Pattern.compile(value);
      } catch (PatternSyntaxException e) {
        throw new TypeConversionException(
            "'" + value + "' is no regular expression: " + e.getDescription());
      }
    }
  }

  /**
   * Whether they were given.
   *
   * @throws ToolException when they make no sense together
   */
  boolean given(CommandSpec spec) {
    if (topic == null) {
      Given.refuse(
          spec,
          "without --from-topic",
          "--from-broker",
          "--since",
          "--until",
          "--match",
          "--user",
          "--token");
      return false;
    }
    Given.refuse(spec, "with --from-topic", "--format");
    Names.checkTopic(topic);
    if (since != null && until != null && !since.at().isBefore(until.at())) {
      throw ToolException.usage("--since is not before --until");
    }
    return true;
  }

  /**
   * What is to be copied.
   *
   * @param brokers where it is published, and read unless another one is given
   * @throws IOException when a broker cannot be found
   */
  TopicCopy source(BrokerOptions brokers, Wire wire, long deferMs) throws IOException {
    HttpJson http = new HttpJson(TIMEOUT, new HttpAccess(wire.tls(), users.authorization()));
    List<BrokerAddress> sources = new ArrayList<>();
    if (broker != null) {
      sources.add(http(http, broker));
    } else {
      Set<BrokerAddress> holding = brokers.holding(topic);
      for (BrokerAddress tcp : holding) {
        sources.add(brokers.http(tcp, List.of()));
      }
    }
    if (sources.isEmpty()) {
      throw new ToolException("nsqlookupd knows no broker with topic " + topic);
    }
    return new TopicCopy(http, sources, topic, new TopicCopy.Range(since, until, match), deferMs);
  }

  /** The address itself, or the port above where it turns out to be TCP's. */
  private static BrokerAddress http(HttpJson http, BrokerAddress address) throws IOException {
    try {
      http.exchange("GET", address, "/ping", null);
      return address;
    } catch (IOException e) {
      BrokerAddress above = new BrokerAddress(address.host(), address.port() + 1);
      try {
        http.exchange("GET", above, "/ping", null);
      } catch (IOException alsoNot) {
        e.addSuppressed(alsoNot);
        throw e;
      }
      return above;
    }
  }
}
