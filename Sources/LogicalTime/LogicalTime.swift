import Automata
