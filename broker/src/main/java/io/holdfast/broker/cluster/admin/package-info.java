/**
 * What is asked of a shared topic at any node is answered by whoever leads it: the way there, and
 * what became of it. Knows neither HTTP nor what is asked.
 */
package io.holdfast.broker.cluster.admin;
