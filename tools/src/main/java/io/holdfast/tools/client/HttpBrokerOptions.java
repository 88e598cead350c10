package io.holdfast.tools.client;

import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.ToolContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The options that say which brokers to talk to; shared by the commands that speak HTTP. */
public final class HttpBrokerOptions {
  private static final int HTTP_PORT = 4151;

  private final Settings settings;

  @Option(
      names = {"-b", "--broker", "--nsqd-http-address"},
      scope = ScopeType.INHERIT,
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Http.class,
      description =
          "HTTP address (host:port) of a broker; repeat it or separate by commas for several "
              + "(default: HOLDFAST_HTTP_ADDRESS, else 127.0.0.1:4151, unless --lookupd is given).")
  private List<BrokerAddress> brokers = new ArrayList<>();

  @Option(
      names = {"-l", "--lookupd", "--lookupd-http-address"},
      scope = ScopeType.INHERIT,
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Lookup.class,
      description =
          "HTTP address (host:port) of an nsqlookupd: every broker that it knows is asked;"
              + " repeatable (default port: 4161).")
  private List<BrokerAddress> lookups = new ArrayList<>();

  /**
   * @param context with the settings that hold where no option is given
   */
  public HttpBrokerOptions(ToolContext context) {
    settings = context.settings();
  }

  /**
   * The brokers named, and those found. May be called again to rediscover.
   *
   * @param http asks the nsqlookupd, which has no users: in clear and as nobody
   * @param topic only brokers that have it are found; null for all
   * @return empty only when nsqlookupd knows none
   * @throws IOException when no nsqlookupd answers
   */
  public Set<BrokerAddress> find(HttpJson http, String topic) throws IOException {
    Set<BrokerAddress> found = new LinkedHashSet<>(brokers);
    if (lookups.isEmpty()) {
      if (found.isEmpty()) {
        found.addAll(BrokerAddress.set(settings, "http_address", HTTP_PORT));
      }
      return found;
    }
    LookupClient lookup = new LookupClient(http, lookups);
    (topic == null ? lookup.nodes() : lookup.lookup(topic))
        .forEach(producer -> found.add(producer.http()));
    return found;
  }

  /** Says that nsqlookupd knows no broker with this topic; null for none at all. */
  public static String noneKnown(String topic) {
    return "nsqlookupd knows no broker" + (topic == null ? "" : " with topic " + topic);
  }
}
