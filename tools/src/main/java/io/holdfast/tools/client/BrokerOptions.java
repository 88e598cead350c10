package io.holdfast.tools.client;

import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Option;

/** The options that say which brokers to talk to; shared by the commands that speak TCP. */
public final class BrokerOptions {
  private static final Duration LOOKUP_TIMEOUT = Duration.ofSeconds(3);
  private static final int TCP_PORT = 4150;

  private final Settings settings;

  @Option(
      names = {"-b", "--broker", "--nsqd-tcp-address"},
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Tcp.class,
      description =
          "TCP address (host:port) of a broker; repeat it or separate by commas for several "
              + "(default: HOLDFAST_TCP_ADDRESS, else 127.0.0.1:4150, unless --lookupd is given).")
  private List<BrokerAddress> brokers = List.of();

  @Option(
      names = {"-l", "--lookupd", "--lookupd-http-address"},
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Lookup.class,
      description =
          "HTTP address (host:port) of an nsqlookupd that knows the brokers;"
              + " repeatable (default port: 4161).")
  private List<BrokerAddress> lookups = List.of();

  private LookupClient lookupClient;

  /** Where nsqlookupds say that the HTTP API of a broker is, by its TCP address. */
  private final Map<BrokerAddress, BrokerAddress> foundHttp = new HashMap<>();

  /**
   * @param context with the settings that hold where no option is given
   */
  public BrokerOptions(ToolContext context) {
    settings = context.settings();
  }

  /**
   * @return whether the brokers can change while a command runs
   */
  public boolean usesLookup() {
    return !lookups.isEmpty();
  }

  /**
   * Brokers that have a topic, plus those named directly. May be called again to rediscover.
   *
   * @param topic the topic
   * @return TCP addresses; may be empty with --lookupd
   * @throws IOException when no nsqlookupd answered
   */
  public Set<BrokerAddress> holding(String topic) throws IOException {
    Set<BrokerAddress> found = named();
    if (usesLookup()) {
      for (LookupClient.Producer producer : lookupClient().lookup(topic)) {
        found.add(producer.tcp());
        foundHttp.put(producer.tcp(), producer.http());
      }
    }
    return found;
  }

  /**
   * Where the HTTP API of a broker is: as given, as nsqlookupd says, else one port above TCP.
   *
   * @param tcp from {@link #holding}
   * @param given addresses for the brokers named, in their order; may be empty
   * @throws ToolException when they are not as many
   */
  public BrokerAddress http(BrokerAddress tcp, List<BrokerAddress> given) {
    if (!given.isEmpty()) {
      List<BrokerAddress> named = List.copyOf(named());
      if (usesLookup() || given.size() != named.size()) {
        throw ToolException.usage("--nsqd-http-address has to be given once for each --broker");
      }
      return given.get(named.indexOf(tcp));
    }
    if (foundHttp.containsKey(tcp)) {
      return foundHttp.get(tcp);
    }
    if (brokers.isEmpty() && settings.get("http_address") != null) {
      return BrokerAddress.set(settings, "http_address", tcp.port() + 1).get(0);
    }
    return new BrokerAddress(tcp.host(), tcp.port() + 1);
  }

  /**
   * Brokers that may be published to: those that have the topic, or all when none has it.
   *
   * @param topic the topic
   * @return TCP addresses; may be empty with --lookupd
   * @throws IOException when no nsqlookupd answered
   */
  public Set<BrokerAddress> accepting(String topic) throws IOException {
    Set<BrokerAddress> found = holding(topic);
    if (found.isEmpty()) {
      lookupClient().nodes().forEach(producer -> found.add(producer.tcp()));
    }
    return found;
  }

  private Set<BrokerAddress> named() {
    Set<BrokerAddress> found = new LinkedHashSet<>(brokers);
    if (found.isEmpty() && !usesLookup()) {
      found.addAll(BrokerAddress.set(settings, "tcp_address", TCP_PORT));
    }
    return found;
  }

  private LookupClient lookupClient() {
    if (lookupClient == null) {
      lookupClient = new LookupClient(new HttpJson(LOOKUP_TIMEOUT), lookups);
    }
    return lookupClient;
  }
}
