package io.holdfast.tools.data;

import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.GroupView;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.client.Names;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which data directory, topics and channels; shared by the commands that look at one. */
final class DirOptions {
  /** What only the start of a broker brings into the topics, and how to get it there. */
  static final String COPIES =
      "the power failed, and redo has messages that may not be in their topics yet: start the"
          + " broker once on this directory, or a copy of it, and stop it";

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      description = "The broker's data path (its --data-path; conf: data_path).")
  private Path dir;

  @Option(
      names = {"-t", "--topic"},
      paramLabel = "TOPIC",
      description = "Only this topic; may be repeated (default: all).")
  private List<String> topics = List.of();

  @Option(
      names = {"-c", "--channel"},
      paramLabel = "CHANNEL",
      description = "Only this channel; may be repeated (default: all).")
  private List<String> channels = List.of();

  /** The directory as given. */
  Path dir() {
    return dir;
  }

  /**
   * Opens the directory.
   *
   * @throws ToolException with exit code 2 for verify's sake when it cannot be read at all
   */
  DataDirView open() {
    topics.forEach(Names::checkTopic);
    channels.forEach(Names::checkChannel);
    return open(dir);
  }

  /**
   * Opens a data directory.
   *
   * @throws ToolException when there is none, or it cannot be read
   */
  static DataDirView open(Path dir) {
    try {
      ReadableFiles.check(dir);
      ReadableFiles.check(dir.resolve("meta.json"));
      ReadableFiles.check(dir.resolve("cluster.json"));
      ReadableFiles.check(dir.resolve("topics"));
      ReadableFiles.checkTree(dir.resolve("groups"));
      return DataDirView.open(dir);
    } catch (IOException e) {
      throw new ToolException(ToolException.describe(e), e);
    }
  }

  /**
   * Says, if it is so, that messages that were answered may be missing in what is printed.
   *
   * @return whether it is so
   */
  static boolean warnOfCopies(DataDirView view, ToolContext context) throws IOException {
    boolean isSo = view.willPutBack();
    if (isSo) {
      context.err().println("warning: " + COPIES);
    }
    return isSo;
  }

  /**
   * What there is of a cluster's groups, a line each; none of a broker that is alone.
   *
   * @throws IOException when they cannot be read
   */
  static List<String> groups(DataDirView view) throws IOException {
    List<String> lines = new ArrayList<>();
    if (view.member() != null) {
      for (GroupView group : view.member().groups()) {
        lines.add(Visible.text(group.line()));
      }
    }
    return lines;
  }

  /** Opens a topic all of which can be read. */
  static TopicView topic(DataDirView view, String name) throws IOException {
    ReadableFiles.checkTree(view.journalDir(name).getParent());
    return view.topic(name);
  }

  /**
   * The topics to look at, sorted.
   *
   * @throws ToolException when one was named that is not there
   */
  List<String> topics(DataDirView view) throws IOException {
    List<String> found = new ArrayList<>(view.topics());
    if (topics.isEmpty()) {
      return found;
    }
    for (String topic : topics) {
      if (!found.contains(topic)) {
        throw new ToolException("there is no topic " + topic + " in " + dir);
      }
    }
    found.retainAll(topics);
    return found;
  }

  /** Whether a channel is to be looked at. */
  boolean includesChannel(String channel) {
    return channels.isEmpty() || channels.contains(channel);
  }

  /** Whether channels were named. */
  boolean namesChannels() {
    return !channels.isEmpty();
  }

  /** The named channels. */
  List<String> channels() {
    return channels;
  }

  /** Fails when none of these topics has a channel that was named. */
  void checkChannels(DataDirView view, List<String> of) throws IOException {
    for (String channel : channels) {
      boolean found = false;
      for (String topic : of) {
        found |= view.channels(topic).contains(channel);
      }
      if (!found) {
        throw new ToolException(
            "there is no channel "
                + channel
                + " in "
                + dir
                + " ("
                + Version.NAME
                + " summary lists them)");
      }
    }
  }
}
