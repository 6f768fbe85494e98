"""Forced-labour and child-labour risk in supply chains."""
