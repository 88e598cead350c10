package io.holdfast.broker.cluster.peers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a node says of itself when it connects, and when somebody connects to it.
 *
 * @param node its name
 * @param incarnation how often it was replaced
 * @param uuid of its cluster; null for none yet
 * @param generation how often the cluster was forced to go on alone
 * @param names of all nodes of its configuration, sorted
 * @param clusterId its {@code cluster_id}
 * @param clusterGroups its {@code cluster_groups}
 * @param minFormat the lowest format of entries that it knows
 * @param maxFormat the highest
 * @param state {@code forming}, {@code waiting} or {@code member}
 * @param joined whether it has taken part in its cluster since its start
 * @param ageMs ms since its start
 * @param incarnations of the nodes that it knows of, itself included, as far as it knows them
 */
public record Handshake(
    String node,
    int incarnation,
    String uuid,
    long generation,
    List<String> names,
    int clusterId,
    int clusterGroups,
    int minFormat,
    int maxFormat,
    String state,
    boolean joined,
    long ageMs,
    Map<String, Integer> incarnations) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /** Refuses what no node says of itself, by an exception. */
  public Handshake {
    Objects.requireNonNull(node, "node");
    Objects.requireNonNull(state, "state");
    names = names.stream().sorted().toList();
    incarnations = incarnations == null ? Map.of() : Map.copyOf(incarnations);
  }

  byte[] toJson() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  static Handshake parse(byte[] json) throws IOException {
    return JSON.readValue(json, Handshake.class);
  }

  /** A handshake that is turned down: whose it is, and why the other one was refused. */
  record Refused(Handshake by, String reason) {
    byte[] toJson() {
      try {
        return JSON.writeValueAsBytes(this);
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    }

    static Refused parse(byte[] json) throws IOException {
      return JSON.readValue(json, Refused.class);
    }
  }
}
