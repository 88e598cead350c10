package io.holdfast.tools.admin;

import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.AccessOptions;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpAccess;
import io.holdfast.tools.client.HttpBrokerOptions;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.time.Duration;
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
    description = "Looks after topics, channels and settings of a broker over its HTTP API.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TopicCommand.class,
      ChannelCommand.class,
      ConfigCommand.class,
      HealthCommand.class,
      TopCommand.class,
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools admin topic list",
      "  holdfast-tools admin channel pause orders billing",
      "  holdfast-tools admin topic peek orders --from=-10m -n 3",
      "  holdfast-tools admin --lookupd-http-address l1:4161 topic delete old",
      "  holdfast-tools admin channel policy orders billing max_attempts=5 dead_letter=orders-dead",
      "  holdfast-tools admin channel rewind orders billing --to=-1h",
      "  holdfast-tools admin config set log_level debug",
      "  holdfast-tools admin top"
    })
public final class AdminCommand implements Runnable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Mixin private HttpBrokerOptions brokers;

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

  HttpBrokerOptions brokers() {
    return brokers;
  }

  HttpAccess access() {
    return access.access();
  }

  /**
   * The brokers that the options name.
   *
   * @throws IOException when no nsqlookupd answers
   */
  AdminApi api() throws IOException {
    HttpJson http = new HttpJson(TIMEOUT, access());
    Set<BrokerAddress> addresses = brokers.find(new HttpJson(TIMEOUT), null);
    if (addresses.isEmpty()) {
      throw new ToolException(HttpBrokerOptions.noneKnown(null));
    }
    return new AdminApi(http, List.copyOf(addresses));
  }
}
