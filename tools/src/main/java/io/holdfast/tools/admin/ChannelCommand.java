package io.holdfast.tools.admin;

import static io.holdfast.tools.admin.AdminApi.path;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.client.Names;
import java.io.IOException;
import java.util.List;
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
    description =
        "Channels: list, create, delete, empty, pause, unpause, peek, policy, rewind, redrive,"
            + " discard.",
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
      @Parameters(paramLabel = "CHANNEL") String channel,
      @Option(
              names = "--from",
              paramLabel = "PLACE",
              description =
                  "Begin there: start, end, a message id, an RFC 3339 time, or -10m (default: with"
                      + " what comes).")
          String from)
      throws IOException {
    String name = Names.checkChannel(channel);
    admin.api().post(path("/channel/create", "topic", topic, "channel", name, "from", from));
    return ExitCode.OK;
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
              description = "ready, in_flight, deferred or dead (default: ready).")
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

  @Command(
      name = "policy",
      mixinStandardHelpOptions = true,
      description = "Shows the channel's policy, or sets fields of it; field=null unsets.")
  int policy(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel,
      @Parameters(paramLabel = "FIELD=VALUE", arity = "0..*") List<String> fields)
      throws IOException {
    Listing.policy(admin, path("/channel/policy", "topic", topic, "channel", channel), fields);
    return ExitCode.OK;
  }

  @Command(
      name = "rewind",
      mixinStandardHelpOptions = true,
      description = "Delivers what is there from a place on once more, and nothing older.")
  int rewind(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel,
      @Option(
              names = "--to",
              required = true,
              paramLabel = "PLACE",
              description = "start, end, a message id, an RFC 3339 time, or -10m.")
          String to)
      throws IOException {
    String path = path("/channel/rewind", "topic", topic, "channel", channel, "to", to);
    for (String answer : admin.api().post(path, AdminApi.NO_BODY)) {
      Listing.rewound(admin, answer);
    }
    return ExitCode.OK;
  }

  @Command(
      name = "redrive",
      mixinStandardHelpOptions = true,
      description = "Makes dead letters of the channel ready again, all or some.")
  int redrive(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel,
      @Option(names = "--id", paramLabel = "ID", description = "This one.") String id,
      @Option(names = "-n", paramLabel = "N", description = "The N longest dead.") Integer n)
      throws IOException {
    return deadLetters("redrive", topic, channel, id, n);
  }

  @Command(
      name = "discard",
      mixinStandardHelpOptions = true,
      description = "Drops dead letters of the channel, all or some.")
  int discard(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "CHANNEL") String channel,
      @Option(names = "--id", paramLabel = "ID", description = "This one.") String id,
      @Option(names = "-n", paramLabel = "N", description = "The N longest dead.") Integer n)
      throws IOException {
    return deadLetters("discard", topic, channel, id, n);
  }

  private int deadLetters(String verb, String topic, String channel, String id, Integer n)
      throws IOException {
    if (id != null && n != null) {
      throw ToolException.usage("--id and -n exclude each other");
    }
    String path = path("/channel/" + verb, "topic", topic, "channel", channel, "id", id, "n", n);
    for (String answer : admin.api().post(path, AdminApi.NO_BODY)) {
      Listing.counted(admin, answer);
    }
    return ExitCode.OK;
  }

  private int act(String verb, String topic, String channel) throws IOException {
    admin.api().post(path("/channel/" + verb, "topic", topic, "channel", channel));
    return ExitCode.OK;
  }
}
