package io.holdfast.tools.admin;

import static io.holdfast.tools.admin.AdminApi.path;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.client.Names;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code admin channel}: a method a verb. */
@Command(
    name = "channel",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Channels: list, create, delete, empty, pause, unpause, peek.",
    synopsisSubcommandLabel = "COMMAND")
final class ChannelCommand implements Runnable {
  @ParentCommand private AdminCommand admin;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing COMMAND");
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists a topic's channels, summed over the brokers.")
  int list(@Parameters(paramLabel = "TOPIC") String topic) throws IOException {
    Listing.channels(admin, topic);
    return ExitCode.OK;
  }

  @Command(
      name = "create",
      mixinStandardHelpOptions = true,
      description = "Creates a channel of a topic that exists.")
  int create(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel)
      throws IOException {
    return act("create", topic, Names.checkChannel(channel));
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Deletes a channel with its messages.")
  int delete(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel)
      throws IOException {
    return act("delete", topic, channel);
  }

  @Command(
      name = "empty",
      mixinStandardHelpOptions = true,
      description = "Drops the channel's messages.")
  int empty(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel)
      throws IOException {
    return act("empty", topic, channel);
  }

  @Command(
      name = "pause",
      mixinStandardHelpOptions = true,
      description = "Delivers no more messages.")
  int pause(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel)
      throws IOException {
    return act("pause", topic, channel);
  }

  @Command(name = "unpause", mixinStandardHelpOptions = true, description = "Ends a pause.")
  int unpause(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel)
      throws IOException {
    return act("unpause", topic, channel);
  }

  @Command(
      name = "peek",
      mixinStandardHelpOptions = true,
      description = "Shows messages of the channel and changes nothing.")
  int peek(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel,
      @Option(
              names = "--state",
              paramLabel = "S",
              description = "ready, in_flight or deferred (default: ready).")
          String state,
      @Option(names = "-n", paramLabel = "N", description = "Messages (default: 10).") Integer n,
      @Option(names = "--bytes", paramLabel = "B", description = "Bytes of each (default: 4096).")
          Integer bytes)
      throws IOException {
    String path =
        path(
            "/channel/peek",
            "topic",
            topic,
            "channel",
            channel,
            "state",
            state,
            "n",
            n,
            "bytes",
            bytes);
    Listing.peeked(admin, admin.api().text(path));
    return ExitCode.OK;
  }

  private int act(String verb, String topic, String channel) throws IOException {
    admin.api().post(path("/channel/" + verb, "topic", topic, "channel", channel));
    return ExitCode.OK;
  }
}
