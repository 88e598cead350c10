package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The nodes of a cluster, asked over HTTP. Of one thread. */
final class ClusterNodes {
  private static final byte[] NO_BODY = {};
  private static final int OK = 200;
  private static final int NOT_FOUND = 404;

  private final HttpJson looks;
  private final HttpJson changes;
  private final List<BrokerAddress> given;

  /** Where nodes were found, or are said to be. */
  private final Map<String, BrokerAddress> found = new LinkedHashMap<>();

  /**
   * @param looks asks how the cluster stands
   * @param changes asks for something to be done: more patient
   * @param given where nodes may be: at least one
   */
  ClusterNodes(HttpJson looks, HttpJson changes, List<BrokerAddress> given) {
    this.looks = looks;
    this.changes = changes;
    this.given = given;
  }

  /**
   * What the first node says that answers.
   *
   * @throws ToolException when none does
   */
  NodeView any() {
    List<String> failures = new ArrayList<>();
    for (BrokerAddress address : given) {
      NodeView view = ask(null, address);
      if (view.isThere()) {
        return view;
      }
      failures.add(view.error());
    }
    throw new ToolException(String.join("; ", failures));
  }

  /**
   * What all nodes say, in the order of the configuration. Those that were not given are asked
   * where they say that their HTTP address is.
   *
   * @throws ToolException when none of those given answers
   */
  List<NodeView> all() {
    Map<String, NodeView> views = new LinkedHashMap<>();
    List<String> failures = new ArrayList<>();
    for (BrokerAddress address : given) {
      NodeView view = ask(null, address);
      if (view.isThere()) {
        views.putIfAbsent(view.node(), view);
      } else {
        failures.add(view.error());
      }
    }
    if (views.isEmpty() && !askFound(views)) {
      throw new ToolException(String.join("; ", failures));
    }
    List<NodeView> all = new ArrayList<>();
    NodeView first = views.values().iterator().next();
    for (JsonNode node : first.cluster().path("nodes")) {
      String name = node.path("node").asText();
      NodeView view = views.get(name);
      all.add(view != null ? view : other(name, views.values()));
    }
    return all;
  }

  /** Those that were given may be gone since: one that was found through them will do. */
  private boolean askFound(Map<String, NodeView> views) {
    for (Map.Entry<String, BrokerAddress> each : List.copyOf(found.entrySet())) {
      NodeView view = ask(each.getKey(), each.getValue());
      if (view.isThere()) {
        views.put(view.node(), view);
        return true;
      }
    }
    return false;
  }

  private NodeView other(String name, Iterable<NodeView> said) {
    BrokerAddress address = found.get(name);
    return address == null
        ? new NodeView(
            name, null, null, "its HTTP address is not known to " + said.iterator().next().node())
        : ask(name, address);
  }

  /**
   * @param name of the node that should be there; null for any
   */
  private NodeView ask(String name, BrokerAddress address) {
    HttpJson.Reply reply;
    try {
      reply = looks.exchange("GET", address, "/cluster", null);
    } catch (IOException e) {
      return new NodeView(name, address, null, ToolException.describe(e));
    }
    JsonNode cluster = reply.json();
    String node = cluster.path("node").asText();
    if (reply.status() == NOT_FOUND) {
      return new NodeView(name, address, null, address + ": not a node of a cluster");
    }
    if (reply.status() != OK || node.isEmpty()) {
      return new NodeView(name, address, null, address + ": " + reason(reply));
    }
    if (name != null && !name.equals(node)) {
      return new NodeView(name, address, null, address + ": this is " + node);
    }
    for (JsonNode each : cluster.path("nodes")) {
      note(each.path("node").asText(), each.path("http_address").asText(""));
    }
    found.put(node, address);
    return new NodeView(node, address, cluster, null);
  }

  /** What others say of a node's address holds until it was found at one. */
  private void note(String node, String address) {
    try {
      if (!address.isEmpty()) {
        found.putIfAbsent(node, BrokerAddress.parse(address, 0));
      }
    } catch (IllegalArgumentException e) {
      throw new ToolException(node + ": its HTTP address: " + e.getMessage(), e);
    }
  }

  /**
   * Has a node do something.
   *
   * @return whatever status came
   * @throws IOException when there is no answer
   */
  HttpJson.Reply post(BrokerAddress address, String path) throws IOException {
    return changes.exchange("POST", address, path, NO_BODY);
  }

  /** Why a broker refused: its message, in one line. */
  static String reason(HttpJson.Reply reply) {
    JsonNode message = reply.json().path("message");
    String text = message.isTextual() ? message.asText() : reply.text().strip();
    return text.isEmpty() ? "HTTP status " + reply.status() : text.lines().findFirst().orElse("");
  }
}
