package io.holdfast.broker.queue;

import io.holdfast.storage.topic.DirNames;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics that this broker shares with others: those that it leads are found among all of its
 * topics, the others are not. Thread-safe.
 */
public final class SharedTopics {
  private static final Logger LOG = LoggerFactory.getLogger(SharedTopics.class);

  private final ConcurrentMap<String, Topic> found;
  private final Supplier<TopologyListener> listener;
  private final Executor workers;
  private final Check mayCreate;
  private final TopicLeaders leaders;

  /**
   * Topics that are being made: nobody is to find them before they have their channels. With what
   * was led under that name last.
   */
  private final Map<String, Optional<Topic>> making = new ConcurrentHashMap<>();

  /** Whether another topic can be made. */
  interface Check {
    /** Returns when it can; may take its time. */
    void run() throws BrokerException;
  }

  /**
   * @param found all topics by name
   * @param listener told of topics that come and go
   * @param workers for what blocks
   */
  SharedTopics(
      ConcurrentMap<String, Topic> found,
      Supplier<TopologyListener> listener,
      Executor workers,
      Check mayCreate,
      TopicLeaders leaders) {
    this.found = found;
    this.listener = listener;
    this.workers = workers;
    this.mayCreate = mayCreate;
    this.leaders = leaders;
  }

  /** Whether a topic of this name is shared, if there is one. */
  boolean owns(String name) {
    return !DirNames.isEphemeral(name);
  }

  // ---------------------------------------------------------------- what others say

  /** A topic is led here from now on, and complete. Any thread; does not block. */
  public void led(Topic topic) {
    if (making.computeIfPresent(topic.name(), (name, before) -> Optional.of(topic)) == null) {
      find(topic);
    }
  }

  private void find(Topic topic) {
    found.put(topic.name(), topic);
    if (topic.isExiting()) {
      // Meanwhile; and then nobody else takes it out.
      found.remove(topic.name(), topic);
      return;
    }
  }

  /** A topic is not led here any more, or is deleted; it has ended. Any thread; does not block. */
  public void withdrawn(Topic topic) {
    if (found.remove(topic.name(), topic)) {
      // Others know of the topic, but not of its ephemeral channels, which end here.
      listener.get().topicDeleted(topic.name());
    }
  }

  // ---------------------------------------------------------------- making

  /** The topic of this name, made if need be; as {@link Topics#later}. */
  CompletableFuture<Topic> later(String name) {
    return leaders.ledHere(name).thenCompose(here -> laterHere(name));
  }

  private CompletableFuture<Topic> laterHere(String name) {
    Topic there = found.get(name);
    if (there != null && !there.isExiting()) {
      return CompletableFuture.completedFuture(there);
    }
    return CompletableFuture.supplyAsync(() -> listener.get().channelsOf(name), workers)
        .thenCompose(channels -> channels)
        .thenApplyAsync(
            channels -> {
              try {
                return create(name, channels);
              } catch (BrokerException e) {
                throw new CompletionException(e);
              }
            },
            workers);
  }

  /** One thread for a name. */
  private Topic create(String name, Collection<String> channels) throws BrokerException {
    Topic there = found.get(name);
    if (there != null && !there.isExiting()) {
      return there;
    }
    mayCreate.run();
    making.put(name, Optional.empty());
    try {
      Topic topic = leaders.create(name);
      for (String channel : channels) {
        try {
          topic.channel(channel);
        } catch (BrokerException e) {
          LOG.error("TOPIC({}): channel({}) of nsqlookupd: {}", name, channel, e.getMessage());
        }
      }
      LOG.info("TOPIC({}): created", name);
      return topic;
    } finally {
      making.remove(name).ifPresent(this::find);
    }
  }
}
