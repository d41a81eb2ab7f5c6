// French, Spanish, Italian and Portuguese: see word_lists.hpp. What is left of an elided word (qu', dell') is listed as
// it stands before the apostrophe.
#include "runtime/memory/word_lists.hpp"

namespace aios::memory {

const WordLists kFrenchWords = {
    // function words
    "le la les un une des du de au aux et ou mais donc car ni que qu qui quoi dont où quand comment pourquoi "
    "combien quel quelle quels quelles lequel laquelle lesquels lesquelles je tu il elle on nous vous ils elles me "
    "te se lui leur leurs mon ma mes ton ta tes son sa ses notre nos votre vos ce cet cette ces cela ceci ça celui "
    "celle ceux celles tout toute tous toutes chaque aucun aucune quelque quelques plusieurs même autre autres ne "
    "pas plus moins jamais rien aussi encore déjà très trop si à dans en par pour sur sous avec sans chez vers "
    "entre avant après depuis pendant contre jusque jusqu lors lorsque lorsqu puisque parce comme est sont était "
    "étaient être été suis es sommes êtes sera seront serait soit soient fut ai as avons avez ont avait avaient "
    "avoir eu aura auront aurait peut peuvent pouvait pouvoir pourrait doit doivent devait devoir devrait fait y "
    "là ici alors ainsi afin puis ensuite cependant toutefois selon malgré quant hors dès peu beaucoup oui non",
    // words of any subject
    "font faire donne donner donnent fonctionne fonctionner long longue longtemps longueur durer dure durent durée "
    "grand grande taille haut signifie signifier existe exister trouve trouver trouvent montre montrer vient venir "
    "va aller vont prend prendre utilise utiliser utilisé utilisation important importante possible nécessaire "
    "besoin faut partie parties sorte type genre nombre valeur valeurs exemple raison raisons question réponse "
    "problème problèmes résultat résultats méthode méthodes différence décrit décrire explique expliquer détermine "
    "appelle appelé nom premier première deux trois quatre cinq six sept huit neuf dix douze nouveau nouvelle "
    "vieux bon bonne mieux fois temps dit dire sait savoir voit voir laisse tient reçoit commence finit passe "
    "souvent",
};

const WordLists kSpanishWords = {
    // function words
    "el la los las un una unos unas lo al del de y e o u ni pero sino que qué quien quién quienes quiénes cual "
    "cuál cuales cuáles cuyo cuya donde dónde cuando cuándo como cómo cuanto cuánto cuanta cuánta cuantos cuántos "
    "cuantas cuántas porque yo tú él ella ello nosotros vosotros ellos ellas usted ustedes me te se le les nos os "
    "mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta esto estos estas ese esa eso esos esas aquel "
    "aquella aquello aquellos aquellas todo toda todos todas cada algún alguno alguna algunos algunas ningún "
    "ninguno ninguna nada nadie algo alguien otro otra otros otras mismo misma no sí si también tampoco ya aún "
    "todavía sólo solo muy más menos tan tanto a ante bajo con contra desde durante en entre hacia hasta mediante "
    "para por según sin sobre tras es son era eran ser sido fue fueron será serán sería sea sean soy eres somos "
    "está están estaba estaban estar estado he has ha hemos han había habían haber hay puede pueden podía poder "
    "podría debe deben deber aquí ahí allí entonces así pues aunque mientras luego además mucho mucha muchos "
    "muchas poco pocos pocas vez",
    // words of any subject
    "hace hacer hacen hecho da dar dan funciona funcionar largo larga longitud dura durar duran duración grande "
    "grandes tamaño alto alta significa significar existe existir encuentra encontrar muestra mostrar viene venir "
    "va ir van toma tomar usa usar usan utiliza utilizar uso importante posible necesario necesita parte partes "
    "tipo tipos clase número valor valores ejemplo razón pregunta respuesta problema problemas resultado "
    "resultados método métodos diferencia describe describir explica explicar determina llama llamado nombre "
    "primero primera dos tres cuatro cinco seis siete ocho nueve diez doce nuevo nueva viejo bueno buena mejor "
    "veces tiempo dice decir sabe saber ve ver deja tiene tienen tener recibe empieza termina pasa ocurre menudo",
};

const WordLists kItalianWords = {
    // function words
    "il lo la gli le un uno una di del dello della dei degli delle dell al allo alla ai agli alle all da dal dallo "
    "dalla dai dagli dalle dall in nel nello nella nei negli nelle nell su sul sullo sulla sui sugli sulle sull "
    "con col per tra fra ed od ma però che chi cui quale quali quando dove come perché quanto quanta quanti quante "
    "cosa io tu lui lei noi voi loro mi ti si ci vi ne me te se mio mia miei mie tuo tua suo sua suoi sue nostro "
    "nostra vostro vostra questo questa questi queste quest quello quella quelli quelle quei quegli quell ciò "
    "tutto tutta tutti tutte ogni alcuni alcune alcun nessun nessuno nessuna niente nulla qualche altro altra "
    "altri altre stesso stessa non sì anche ancora già solo molto molta molti molte più meno tanto troppo poco "
    "pochi è sono era erano essere stato stata stati sarà saranno sarebbe sia siano sei siamo fu furono ho hai ha "
    "abbiamo hanno aveva avevano avere può possono poteva potere potrebbe deve devono dovere dovrebbe qui qua lì "
    "là allora così quindi dunque mentre dopo prima durante senza contro verso sotto sopra dentro fuori presso "
    "secondo poi oppure né anzi",
    // words of any subject
    "fa fare fanno fatto dà dare danno funziona funzionare lungo lunga lunghezza dura durare durano durata grande "
    "grandi dimensione alto alta significa significare esiste esistere trova trovare trovano mostra mostrare viene "
    "venire va andare vanno prende prendere usa usare usano uso utilizza importante possibile necessario serve "
    "bisogna parte parti tipo tipi genere numero valore valori esempio ragione domanda risposta problema problemi "
    "risultato risultati metodo metodi differenza descrive descrivere spiega spiegare determina chiama chiamato "
    "nome primo due tre quattro cinque sei sette otto nove dieci dodici nuovo nuova vecchio buono buona meglio "
    "volta volte tempo dice dire sa sapere vede vedere lascia tiene riceve inizia finisce succede accade spesso",
};

const WordLists kPortugueseWords = {
    // function words
    "o a os as um uma uns umas de do da dos das em no na nos nas num numa ao aos à às pelo pela pelos pelas por "
    "para pra com sem sob sobre entre até desde contra perante e ou mas porém nem que quem qual quais quando onde "
    "como porque porquê quanto quanta quantos quantas cujo cuja eu tu ele ela nós vós eles elas você vocês me te "
    "se lhe lhes meu minha meus minhas teu tua seu sua seus suas nosso nossa nossos nossas este esta isto estes "
    "estas esse essa isso esses essas aquele aquela aquilo aqueles aquelas deste desta disto desse dessa disso "
    "neste nesta nisto nesse nessa nisso todo toda todos todas cada algum alguma alguns algumas nenhum nenhuma "
    "nada ninguém algo alguém outro outra outros outras mesmo mesma não sim também já ainda só somente muito muita "
    "muitos muitas mais menos tão tanto pouco poucos é são era eram ser sido foi foram será serão seria seja sejam "
    "sou somos está estão estava estavam estar estado há havia haver tem têm tinha tinham ter pode podem podia "
    "poder poderia deve devem dever aqui aí ali então assim pois embora enquanto depois antes durante conforme "
    "segundo além através vez",
    // words of any subject
    "faz fazer fazem feito dá dar dão funciona funcionar longo longa comprimento dura durar duram duração grande "
    "grandes tamanho alto alta significa significar existe existir encontra encontrar mostra mostrar vem vir vai "
    "ir vão toma tomar usa usar usam utiliza utilizar uso importante possível necessário precisa parte partes tipo "
    "tipos número valor valores exemplo razão pergunta resposta problema problemas resultado resultados método "
    "métodos diferença descreve descrever explica explicar determina chama chamado nome primeiro primeira dois "
    "duas três quatro cinco seis sete oito nove dez doze novo nova velho bom boa melhor vezes tempo diz dizer sabe "
    "saber vê ver deixa recebe começa termina acontece frequência",
};

} // namespace aios::memory
