package io.holdfast.tools.cluster;

import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Something done to a node: asked for until it is said to be done. The cluster takes the same
 * request again as that to go on, so whatever ends in between does not matter. Of one thread.
 */
final class Change {
  private static final int OK = 200;
  private static final int BEGUN = 202;
  private static final int AGAIN_MS = 1000;

  private final ToolContext context;
  private final ClusterNodes nodes;
  private final String verb;
  private final String node;
  private final String path;
  private String shown = "";

  /**
   * @param verb the last part of the path
   * @param node to whom
   * @param arguments names and values one after the other; null values are left out
   */
  Change(ToolContext context, ClusterNodes nodes, String verb, String node, Object... arguments) {
    this.context = context;
    this.nodes = nodes;
    this.verb = verb;
    this.node = node;
    StringBuilder all = new StringBuilder("/cluster/" + verb + "?node=" + encoded(node));
    for (int i = 0; i < arguments.length; i += 2) {
      if (arguments[i + 1] != null) {
        all.append('&').append(arguments[i]).append('=').append(encoded(arguments[i + 1]));
      }
    }
    path = all.toString();
  }

  private static String encoded(Object value) {
    return URLEncoder.encode(value.toString(), StandardCharsets.UTF_8);
  }

  /**
   * Begins, and waits until it is done.
   *
   * @throws ToolException when it cannot be done, or is not done in time
   */
  void await(Duration timeout) throws IOException {
    long beginNs = System.nanoTime();
    NodeView asked = nodes.any();
    ClusterCommand.checkNode(asked.cluster(), node);
    HttpJson.Reply reply = nodes.post(asked.http(), path);
    if (reply.status() != OK && reply.status() != BEGUN) {
      throw new ToolException(verb + " " + node + ": " + ClusterNodes.reason(reply));
    }
    String last = "";
    BrokerAddress to = asked.http();
    while (reply == null || reply.status() != OK) {
      if (System.nanoTime() - beginNs >= timeout.toNanos()) {
        throw new ToolException(
            verb + " " + node + ": not done within " + text(timeout) + ": " + last);
      }
      if (context.stop().await(AGAIN_MS)) {
        throw new ToolException(verb + " " + node + ": ended before it was done: " + last);
      }
      List<NodeView> views = look();
      to = whom(views, to);
      reply = post(to);
      last = progress(views, reply);
      show(last);
    }
  }

  /** Null when nobody answers: that may pass. */
  private List<NodeView> look() {
    try {
      return nodes.all();
    } catch (ToolException e) {
      return List.of();
    }
  }

  /**
   * The one asked last, as long as it answers; else another one, but rather not the node itself.
   */
  private BrokerAddress whom(List<NodeView> views, BrokerAddress last) {
    List<NodeView> there = new ArrayList<>(views.stream().filter(NodeView::isThere).toList());
    if (there.isEmpty() || there.stream().anyMatch(view -> view.http().equals(last))) {
      return last;
    }
    return there.stream()
        .filter(view -> !view.node().equals(node))
        .findFirst()
        .orElse(there.get(0))
        .http();
  }

  /** Null when there is no answer: the next one will be. */
  private HttpJson.Reply post(BrokerAddress address) {
    try {
      return nodes.post(address, path);
    } catch (IOException e) {
      return null;
    }
  }

  private String progress(List<NodeView> views, HttpJson.Reply reply) {
    if (views.isEmpty()) {
      return "no node answers";
    }
    String progress = new Standing(views).progress(node);
    boolean isRefused = reply != null && reply.status() != OK && reply.status() != BEGUN;
    return isRefused ? ClusterNodes.reason(reply) + " (" + progress + ")" : progress;
  }

  private void show(String progress) {
    if (!progress.equals(shown)) {
      shown = progress;
      context.err().println(verb + " " + node + ": " + progress);
    }
  }

  private static String text(Duration timeout) {
    return timeout.toMillis() % 1000 == 0 ? timeout.toSeconds() + " s" : timeout.toMillis() + " ms";
  }
}
