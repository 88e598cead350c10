package io.holdfast.broker.lookup;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.HttpJsonClient;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks every identified nsqlookupd which channels of a topic exist elsewhere, so that a new topic
 * has them before its first message flows (contract §6, pre-creation). Safe for use by any thread.
 */
public final class ChannelLookup {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelLookup.class);

  /**
   * Requests to peers at a time: each is a file descriptor for as long as the peer is silent. Who
   * is one too many does without the answer, as if the peer had failed.
   */
  static final int MAX_QUERIES = 256;

  private final AtomicInteger queries = new AtomicInteger();
  private final HttpJsonClient http;
  private final Supplier<List<PeerInfo>> peers;
  private final Predicate<String> validChannelName;

  /**
   * @param http its timeouts bound each query
   * @param peers usually {@link LookupLoop#identifiedPeers}
   * @param validChannelName a peer's word is not trusted: other names are logged and left out
   */
  public ChannelLookup(
      HttpJsonClient http, Supplier<List<PeerInfo>> peers, Predicate<String> validChannelName) {
    this.http = http;
    this.peers = peers;
    this.validChannelName = validChannelName;
  }

  /**
   * The union of what the peers answer, without {@code #ephemeral} channels. Peers are asked in
   * parallel; the result is never a failure, a peer that failed is only logged and adds nothing. It
   * is complete already, and empty, if there is no peer to ask.
   */
  public CompletableFuture<SortedSet<String>> channels(String topic) {
    SortedSet<String> union = new TreeSet<>();
    List<CompletableFuture<Void>> queries = new ArrayList<>();
    for (PeerInfo peer : peers.get()) {
      if (peer.hasHttp()) {
        queries.add(query(new HostPort(peer.broadcastAddress(), peer.httpPort()), topic, union));
      }
    }
    return CompletableFuture.allOf(queries.toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              synchronized (union) {
                return new TreeSet<>(union);
              }
            });
  }

  private CompletableFuture<Void> query(HostPort peer, String topic, SortedSet<String> union) {
    String url =
        "http://" + peer + "/channels?topic=" + URLEncoder.encode(topic, StandardCharsets.UTF_8);
    if (queries.incrementAndGet() > MAX_QUERIES) {
      queries.decrementAndGet();
      LOG.error(
          "TOPIC({}): did not query {}: {} queries wait for an answer", topic, url, MAX_QUERIES);
      return CompletableFuture.completedFuture(null);
    }
    return http.get(url)
        .handle(
            (answer, failure) -> {
              queries.decrementAndGet();
              if (failure != null) {
                Throwable cause = failure.getCause() == null ? failure : failure.getCause();
                LOG.error("TOPIC({}): failed to query {}: {}", topic, url, cause.toString());
              } else {
                collect(answer, topic, union);
              }
              return null;
            });
  }

  private void collect(JsonNode answer, String topic, SortedSet<String> union) {
    for (JsonNode entry : answer.path("channels")) {
      String name = entry.asText();
      if (!entry.isTextual() || !validChannelName.test(name)) {
        LOG.warn("TOPIC({}): nsqlookupd named an invalid channel {}", topic, entry);
      } else if (!name.endsWith("#ephemeral")) {
        synchronized (union) {
          union.add(name);
        }
      }
    }
  }
}
