package io.holdfast.tools.admin;

import io.holdfast.tools.Main;
import io.holdfast.tools.ToolContext;
import io.holdfast.tools.ToolException;
import io.holdfast.tools.client.AccessOptions;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import io.holdfast.tools.client.LookupClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code admin} command: what its subcommands share, which is whom they talk to. */
@Command(
    name = "admin",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Looks after topics, channels and settings of a broker over its HTTP API.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TopicCommand.class,
      ChannelCommand.class,
      ConfigCommand.class,
      HealthCommand.class,
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools admin topic list",
      "  holdfast-tools admin channel pause orders billing",
      "  holdfast-tools admin topic peek orders --from=-10m -n 3",
      "  holdfast-tools admin --lookupd-http-address l1:4161 topic delete old",
      "  holdfast-tools admin config set log_level debug"
    })
public final class AdminCommand implements Runnable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Option(
      names = {"-b", "--broker", "--nsqd-http-address"},
      scope = ScopeType.INHERIT,
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Http.class,
      description =
          "HTTP address (host:port) of a broker; repeat it or separate by commas for several "
              + "(default: HOLDFAST_HTTP_ADDRESS, else 127.0.0.1:4151).")
  private List<BrokerAddress> brokers = new ArrayList<>();

  @Option(
      names = {"-l", "--lookupd", "--lookupd-http-address"},
      scope = ScopeType.INHERIT,
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Lookup.class,
      description = "HTTP address of an nsqlookupd: every broker that it knows is asked.")
  private List<BrokerAddress> lookups = new ArrayList<>();

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "Print one JSON document instead of a table.")
  private boolean json;

  @Mixin private AccessOptions access;

  /**
   * @param context streams and settings
   */
  public AdminCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing COMMAND");
  }

  ToolContext context() {
    return context;
  }

  boolean json() {
    return json;
  }

  /**
   * The brokers that the options name.
   *
   * @throws IOException when no nsqlookupd answers
   */
  AdminApi api() throws IOException {
    HttpJson http = new HttpJson(TIMEOUT, access.access(context.settings()));
    Set<BrokerAddress> addresses = new LinkedHashSet<>(brokers);
    if (!lookups.isEmpty()) {
      new LookupClient(new HttpJson(TIMEOUT), lookups)
          .nodes()
          .forEach(producer -> addresses.add(producer.http()));
      if (addresses.isEmpty()) {
        throw new ToolException("nsqlookupd knows no broker");
      }
    } else if (addresses.isEmpty()) {
      String set = context.settings().get("http_address");
      addresses.add(new BrokerAddress.Http().convert(set == null ? "127.0.0.1" : set));
    }
    return new AdminApi(http, List.copyOf(addresses));
  }
}
