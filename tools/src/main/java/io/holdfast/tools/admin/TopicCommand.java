package io.holdfast.tools.admin;

import static io.holdfast.tools.admin.AdminApi.path;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.client.Names;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code admin topic}: a method a verb. */
@Command(
    name = "topic",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Topics: list, create, delete, empty, pause, unpause, peek, publish, policy.",
    synopsisSubcommandLabel = "COMMAND")
final class TopicCommand implements Runnable {
  @ParentCommand private AdminCommand admin;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing COMMAND");
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists topics, summed over the brokers.")
  int list() throws IOException {
    Listing.topics(admin);
    return ExitCode.OK;
  }

  @Command(name = "create", mixinStandardHelpOptions = true, description = "Creates a topic.")
  int create(@Parameters(paramLabel = "TOPIC") String topic) throws IOException {
    return act("create", Names.checkTopic(topic));
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Deletes a topic with its channels and messages.")
  int delete(@Parameters(paramLabel = "TOPIC") String topic) throws IOException {
    return act("delete", topic);
  }

  @Command(
      name = "empty",
      mixinStandardHelpOptions = true,
      description = "Drops what the topic keeps back from channels.")
  int empty(@Parameters(paramLabel = "TOPIC") String topic) throws IOException {
    return act("empty", topic);
  }

  @Command(
      name = "pause",
      mixinStandardHelpOptions = true,
      description = "Hands no more messages to channels.")
  int pause(@Parameters(paramLabel = "TOPIC") String topic) throws IOException {
    return act("pause", topic);
  }

  @Command(name = "unpause", mixinStandardHelpOptions = true, description = "Ends a pause.")
  int unpause(@Parameters(paramLabel = "TOPIC") String topic) throws IOException {
    return act("unpause", topic);
  }

  @Command(
      name = "peek",
      mixinStandardHelpOptions = true,
      description = "Shows messages of the topic and changes nothing.")
  int peek(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Option(
              names = "--from",
              paramLabel = "PLACE",
              description = "start, end, a message id, an RFC 3339 time, or -10m (default: start).")
          String from,
      @Option(names = "-n", paramLabel = "N", description = "Messages (default: 10).") Integer n,
      @Option(names = "--bytes", paramLabel = "B", description = "Bytes of each (default: 4096).")
          Integer bytes)
      throws IOException {
    String path = path("/topic/peek", "topic", topic, "from", from, "n", n, "bytes", bytes);
    Listing.peeked(admin, admin.api().text(path));
    return ExitCode.OK;
  }

  @Command(
      name = "publish",
      mixinStandardHelpOptions = true,
      description = "Publishes one message; without BODY it is all of standard input.")
  int publish(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "BODY", arity = "0..1") String body)
      throws IOException {
    Names.checkTopic(topic);
    byte[] message =
        body != null
            ? body.getBytes(StandardCharsets.UTF_8)
            // A file's stream would ask a pipe for its length.
            : new BufferedInputStream(admin.context().in()).readAllBytes();
    admin.api().send("POST", path("/pub", "topic", topic), message);
    return ExitCode.OK;
  }

  @Command(
      name = "policy",
      mixinStandardHelpOptions = true,
      description = "Shows the topic's policy, or sets fields of it; field=null unsets.")
  int policy(
      @Parameters(paramLabel = "TOPIC") String topic,
      @Parameters(paramLabel = "FIELD=VALUE", arity = "0..*") List<String> fields)
      throws IOException {
    Listing.policy(admin, path("/topic/policy", "topic", topic), fields);
    return ExitCode.OK;
  }

  private int act(String verb, String topic) throws IOException {
    admin.api().post(path("/topic/" + verb, "topic", topic));
    return ExitCode.OK;
  }
}
