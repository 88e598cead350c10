package io.holdfast.broker.core;

import io.holdfast.broker.cluster.ClusterConfig;
import io.holdfast.broker.cluster.ClusterDirectory;
import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.ClusterLife;
import io.holdfast.broker.cluster.ClusterNode;
import io.holdfast.broker.cluster.ClusterPlace;
import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.cluster.ClusterView;
import io.holdfast.broker.cluster.GroupFigures;
import io.holdfast.broker.cluster.KnownTopics;
import io.holdfast.broker.cluster.NodeStatus;
import io.holdfast.broker.cluster.admin.LeaderRequests;
import io.holdfast.broker.cluster.forward.PublishForwarder;
import io.holdfast.broker.cluster.lead.LeaderListener;
import io.holdfast.broker.cluster.relay.LedChannels;
import io.holdfast.broker.cluster.relay.RelayedSubscription;
import io.holdfast.broker.cluster.relay.Relays;
import io.holdfast.broker.cluster.state.NamesWatch;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.PublishLimits;
import io.holdfast.broker.queue.SharedTopics;
import io.holdfast.broker.queue.Subscriber;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopologyListener;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DirNames;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The cluster that a broker is a node of: what each gets of the other. Thread-safe. */
public final class BrokerCluster {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerCluster.class);

  private final Broker broker;
  private final ClusterNode node;
  private final SharedTopics topics;

  /** What a broker is opened as. */
  record Opening(DataDir dataDir, ClusterConfig config, Standing standing) {
    /**
     * Opens the data directory as what it is.
     *
     * @throws IOException in one line for the user
     */
    static Opening of(Options options, Disk disk) throws IOException {
      ClusterConfig config;
      try {
        config = ClusterConfig.of(options.cluster());
      } catch (IllegalArgumentException e) {
        throw new IOException(e.getMessage(), e);
      }
      Path root = options.dataPath();
      if (config == null) {
        return new Opening(DataDir.open(root, disk), null, null);
      }
      boolean isInit = options.cluster().isInit();
      Standing standing = ClusterDirectory.of(root, disk, config, isInit);
      if (isInit && standing.state() == ClusterDirectory.State.MEMBER) {
        LOG.info(
            "CLUSTER: --cluster-init has no effect: {} belongs to cluster {}",
            root,
            standing.file().uuid());
      }
      return new Opening(DataDir.openMember(root, disk), config, standing);
    }
  }

  /**
   * Takes no part yet.
   *
   * @param opening has a configuration
   * @throws IOException in one line for the user
   */
  BrokerCluster(Broker broker, BrokerContext context, Opening opening) throws IOException {
    this.broker = broker;
    Options options = broker.options();
    DataDir dataDir = opening.dataDir();
    node =
        new ClusterNode(
            opening.config(),
            opening.standing(),
            new ClusterPlace(
                dataDir.root(),
                dataDir.disk(),
                dataDir.lastStop(),
                context,
                context.topics(),
                PublishLimits.maxSectionBytes(options.maxMsgSize(), options.maxBodySize())),
            this::status,
            new Led(),
            new Names(context.topics()::listener),
            new Channels());
    topics = context.topics().share(node.leaders());
  }

  private final class Led implements LeaderListener {
    @Override
    public void led(Topic topic) {
      topics.led(topic);
    }

    @Override
    public void withdrawn(Topic topic) {
      topics.withdrawn(topic);
    }

    @Override
    public void unreadable(String topic, long ordinal, boolean allLost) {
      LOG.error(
          "CLUSTER: TOPIC({}): message {} cannot be read on this node, and {}",
          topic,
          ordinal,
          allLost ? "others have lost it, too" : "no other node gives it");
    }
  }

  /** Passes on what topics and channels there are, whoever leads them. */
  private record Names(Supplier<TopologyListener> listener) implements NamesWatch {
    @Override
    public void topicCreated(String topic) {
      listener.get().topicCreated(topic);
    }

    @Override
    public void topicDeleted(String topic) {
      listener.get().topicDeleted(topic);
    }

    @Override
    public void channelCreated(String topic, String channel) {
      listener.get().channelCreated(topic, channel);
    }

    @Override
    public void channelDeleted(String topic, String channel) {
      listener.get().channelDeleted(topic, channel);
    }

    @Override
    public void replaced() {
      listener.get().changed();
    }
  }

  private final class Channels implements LedChannels {
    @Override
    public boolean isLed(String topic) {
      return node.isLed(topic);
    }

    @Override
    public CompletableFuture<Channel> channel(String topic, String channel, boolean peeking) {
      Topic there = broker.existingTopic(topic);
      Channel existing = there == null ? null : there.existingChannel(channel);
      if (existing != null && !existing.isExiting()) {
        return CompletableFuture.completedFuture(existing);
      }
      return broker
          .topicLater(topic)
          .thenApplyAsync(
              made -> {
                try {
                  return made.channel(channel, peeking);
                } catch (BrokerException e) {
                  throw new CompletionException(e);
                }
              },
              broker.workers());
    }

    @Override
    public void left(MessageSource channel) {
      broker.consumerLeft(channel);
    }
  }

  private NodeStatus status() {
    Options now = broker.options();
    String host = now.broadcastAddress();
    return new NodeStatus(
        address(host, now.broadcastTcpPort()),
        address(host, now.broadcastHttpPort()),
        OptionsLoader.version(),
        broker.freeBytes(),
        broker.sharedDiskLimitBytes(),
        now.maxMsgSize(),
        now.maxBodySize(),
        node != null && node.isDraining(),
        System.currentTimeMillis(),
        null);
  }

  private static String address(String host, int port) {
    return port <= 0 ? null : new HostPort(host, port).toString();
  }

  /** Begins; a member takes part when this returns. */
  void start() throws IOException {
    node.start();
  }

  /** Has others lead what is led here. */
  void handOver() {
    node.handOver();
  }

  /** Takes part no more. */
  void close() {
    node.close();
  }

  /** Whether a topic of this name is shared, if there is one. */
  public boolean shares(String topic) {
    return !DirNames.isEphemeral(topic);
  }

  /** This node's name. */
  public String node() {
    return node.name();
  }

  /** Brings what is asked of shared topics to whoever leads them. */
  public LeaderRequests requests() {
    return node.requests();
  }

  /** What shared topics there are, whoever leads them. */
  public KnownTopics known() {
    return node.known();
  }

  /** The shared topics that are not led here, in no order. */
  public List<ClusterTopic> followed() {
    return known().all().stream().filter(topic -> !isLedHere(topic.name())).toList();
  }

  /** One of {@link #followed}; null when it is none of them. */
  public ClusterTopic followed(String topic) {
    ClusterTopic there = known().topic(topic);
    return there == null || isLedHere(topic) ? null : there;
  }

  private boolean isLedHere(String topic) {
    return broker.existingTopic(topic) != null;
  }

  /** Publishes to shared topics, whoever leads them. */
  public PublishForwarder publishes() {
    return node.forwarder();
  }

  /** Consumers of shared topics, whoever leads them. */
  public Relays relays() {
    return node.relays();
  }

  /** As {@link Relays#subscribe}. */
  public RelayedSubscription subscription(Subscriber client, String topic, String channel) {
    return node.relays().subscribe(client, topic, channel);
  }

  /** Done, with a line for the operator, when this process has to end because of another node. */
  public CompletableFuture<String> mustExit() {
    return node.mustExit();
  }

  /**
   * How it stands, in the shape of {@code GET /cluster}.
   *
   * @param topic whose group is asked for, too; null for none
   */
  public ClusterView.Cluster view(String topic) {
    return node.view().cluster(status(), topic);
  }

  /** The figures of the groups; none before this node takes part. */
  public List<GroupFigures> figures() {
    return node.view().figures();
  }

  /** What an operator has the cluster do. */
  public ClusterLife life() {
    return node.life();
  }

  /** What is wrong with groups on this node, null when nothing is. */
  String error() {
    return node.view().error();
  }

  /** Whether this node can serve. */
  Health.State health() {
    ClusterView view = node.view();
    List<String> failures = view.failures();
    if (!failures.isEmpty()) {
      return Health.State.failed(String.join(", ", failures));
    }
    List<String> warnings = view.warnings();
    return warnings.isEmpty() ? Health.State.OK : Health.State.warning(String.join(", ", warnings));
  }
}
