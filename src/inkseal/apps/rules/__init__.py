"""What can be demanded of an answer's form and facts, one rule in a file."""

from inkseal.apps.contracts import Rule
from inkseal.core.registry import Registry

rules: Registry[Rule] = Registry(__name__, "app_rule")
