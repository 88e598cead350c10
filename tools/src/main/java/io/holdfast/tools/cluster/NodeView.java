package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.holdfast.tools.client.BrokerAddress;

/**
 * The cluster as one node sees it.
 *
 * @param node its name
 * @param http where it was asked; null when nobody knows where
 * @param cluster what it said to {@code GET /cluster}; null when it did not answer
 * @param error why it did not; null when it did
 */
record NodeView(String node, BrokerAddress http, JsonNode cluster, String error) {
  boolean isThere() {
    return cluster != null;
  }

  boolean isMember() {
    return isThere() && state().equals("member");
  }

  /** {@code forming}, {@code waiting} or {@code member}. */
  String state() {
    return cluster.path("state").asText();
  }

  /** What it says of a group; a missing node when it says nothing. */
  JsonNode group(int group) {
    if (isThere()) {
      for (JsonNode each : cluster.path("groups")) {
        if (each.path("group").asInt() == group) {
          return each;
        }
      }
    }
    return JsonNodeFactory.instance.missingNode();
  }

  /** What it says of a node; a missing node when it says nothing. */
  JsonNode node(String name) {
    if (isThere()) {
      for (JsonNode each : cluster.path("nodes")) {
        if (each.path("node").asText().equals(name)) {
          return each;
        }
      }
    }
    return JsonNodeFactory.instance.missingNode();
  }
}
