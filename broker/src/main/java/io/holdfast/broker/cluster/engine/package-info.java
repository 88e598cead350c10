/**
 * What decides in which order the members of a group see their entries, behind one interface
 * ({@link io.holdfast.broker.cluster.engine.ClusterGroup}). The only package that knows JRaft; it
 * knows nothing of topics.
 */
package io.holdfast.broker.cluster.engine;
